// Saves the newest picture of workstations, one file each, as large as the server makes them.

import { fileName } from "./file-name.js";
import { t } from "./words.js";

const LARGE = 640; // px, the widest that is made
const WAIT_MS = 5000; // then the small picture is better than none
const BETWEEN_MS = 150; // browsers drop downloads that begin in the same moment
const KEPT_MS = 10_000; // so long a slow disk may take

/** Save a picture of each; the results in the order of `tiles`. */
export async function savePictures(tiles, { large }) {
  const release = large.want(tiles.map((tile) => tile.number));
  await Promise.all(tiles.map(untilLarge));
  const taken = tiles.map((tile) => [tile, tile.blob, fileName(tile.name, tile.capturedAt, "jpg")]);
  release(); // from now on they are small again
  const results = [];
  for (const [tile, blob, name] of taken) {
    if (blob === null) {
      results.push({ tile, message: tile.word ?? t("No picture") });
      continue;
    }
    if (results.length > 0) {
      await wait(BETWEEN_MS);
    }
    save(blob, name);
    results.push({ tile, message: null });
  }
  return results;
}

/** Until the tile shows a large picture; a small screen has none, and an old one may be too late. */
function untilLarge(tile) {
  return new Promise((resolve) => {
    let end = () => {};
    const done = () => {
      clearTimeout(timer);
      end();
      resolve();
    };
    const timer = setTimeout(done, WAIT_MS);
    end = tile.mirror(() => tile.pictureWidth >= LARGE && queueMicrotask(done));
  });
}

function save(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}

function wait(milliseconds) {
  return new Promise((resolve) => { setTimeout(resolve, milliseconds); });
}
