// What a teacher can do with the workstations of a scope: one line each, in the order of the bar.
//
// `can(tile)` gives `null` or why not; `run(tiles, wall)` may give results, one for each workstation:
// `{tile, message}`, with a message where it failed. `key` is shown, and pressed on a tile.

import { tryAgain } from "./api.js";
import { savePictures } from "./wall-capture.js";
import { isFault } from "./states.js";
import { t } from "./words.js";

const AT_ONCE = 6; // calls to the site; a browser opens no more connections

export const ACTIONS = [
  { name: "view", icon: "eye", key: "V", one: true, can: answers, run: opens("view"), word: () => t("View") },
  { name: "control", icon: "control", key: "C", one: true, can: answers, run: opens("control"), word: () => t("Control") },
  { name: "screenshot", icon: "camera", can: mayHavePicture, run: savePictures, word: () => t("Screenshot"),
    done: (n) => (n === 1 ? t("1 picture saved.") : t("{n} pictures saved.", { n })), none: () => t("There is no picture of any of them.") },
  { name: "retry", icon: "refresh", can: isTroubled, run: retry, word: () => t("Try again"),
    done: (n) => (n === 1 ? t("1 workstation is tried again.") : t("{n} workstations are tried again.", { n })) },
];

function answers(tile) {
  return isFault(tile.state) ? tile.word : null;
}

/** One that is out of sight gets its picture when it is asked for. */
function mayHavePicture(tile) {
  return isFault(tile.state) || tile.element.dataset.fresh === "void" ? tile.word : null;
}

function isTroubled(tile) {
  return isFault(tile.state) || tile.element.dataset.fresh === "void" ? null : t("All of them answer.");
}

function opens(mode) {
  return ([tile]) => {
    const address = new URL(tile.href);
    address.searchParams.set("mode", mode);
    location.assign(address);
  };
}

async function retry(tiles, { page }) {
  return eachOf(tiles, (tile) => tryAgain(page, tile.id));
}

/** Do something with each, a few at a time; the results in the order of `tiles`. */
async function eachOf(tiles, act) {
  const waiting = [...tiles];
  const messages = new Map();
  const work = async () => {
    while (waiting.length > 0) {
      const tile = waiting.shift();
      try {
        await act(tile);
      } catch (error) {
        messages.set(tile, error.status === 0 ? t("The server does not answer.") : error.message);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return tiles.map((tile) => ({ tile, message: messages.get(tile) ?? null }));
}
