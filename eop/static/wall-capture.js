// Saves the newest picture of workstations, one file each, as large as the server makes them.

import { fileName } from "./wall-offer.js";
import { t } from "./words.js";

const LARGE = 640; // px, the widest that is made
const WAIT_MS = 5000; // then the small picture is better than none
const BETWEEN_MS = 150; // browsers drop downloads that begin in the same moment
const KEPT_MS = 10_000; // so long a slow disk may take

/** Save a picture of each; the results in the order of `tiles`. */
export async function savePictures(tiles, { large }) {
  const release = large.want(tiles.map((tile) => tile.number));
  try {
    await Promise.all(tiles.map(untilLarge));
  } finally {
    release();
  }
  const results = [];
  for (const tile of tiles) {
    if (!tile.hasPicture) {
      results.push({ tile, message: tile.word ?? t("No picture") });
      continue;
    }
    if (results.length > 0) {
      await wait(BETWEEN_MS);
    }
    save(tile);
    results.push({ tile, message: null });
  }
  return results;
}

/** Until the tile shows a large picture, or newer ones show that it is none of the large. */
function untilLarge(tile) {
  const before = tile.sequence;
  return new Promise((resolve) => {
    let end = () => {};
    const done = () => {
      clearTimeout(timer);
      end();
      resolve();
    };
    const timer = setTimeout(done, WAIT_MS);
    const looked = () => tile.pictureWidth >= LARGE || tile.sequence > before + 2;
    end = tile.mirror(() => looked() && queueMicrotask(done));
  });
}

function save(tile) {
  const url = URL.createObjectURL(tile.blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = fileName(tile.name, tile.capturedAt);
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}

function wait(milliseconds) {
  return new Promise((resolve) => { setTimeout(resolve, milliseconds); });
}
