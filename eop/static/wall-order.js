// Which tiles are shown and in which order. Pure.

import { stateRank } from "./states.js";

/** Whether a tile belongs to the filter and holds the words that are searched. */
export function matches(tile, filter, words) {
  if (filter === "attention" && !tile.attention) {
    return false;
  }
  const text = fold(`${tile.title} ${tile.name} ${tile.user ?? ""} ${tile.room}`);
  return fold(words).split(/\s+/).every((word) => text.includes(word));
}

/** Letters without case and accents, so that "zoe" finds Zoé, and "lukasz" Łukasz. */
export function fold(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().replaceAll("ł", "l").trim();
}

/** The tiles in the order asked for: `place`, `name`, `state` or `attention`.
 *
 * A place is that of the seating plan (`seat`), where there is one; who has none comes after.
 */
export function sorted(tiles, order, language) {
  const { compare } = new Intl.Collator(language, { numeric: true, sensitivity: "base" });
  const byPlace = (a, b) =>
    (a.seat ?? Infinity) - (b.seat ?? Infinity) || compare(a.name, b.name) || a.number - b.number;
  const rules = {
    place: byPlace,
    name: (a, b) => compare(a.title, b.title) || byPlace(a, b),
    state: (a, b) => stateRank(a.state) - stateRank(b.state) || byPlace(a, b),
    attention: (a, b) => b.attention - a.attention || byPlace(a, b),
  };
  return [...tiles].sort(rules[order] ?? byPlace);
}

/** How many columns make `count` tiles as large as they can be without scrolling. */
export function fittingColumns(count, space) {
  let best = Math.max(1, Math.floor((space.width + space.gap) / (space.least + space.gap)));
  for (let columns = 1; columns <= best; columns += 1) {
    const width = (space.width - (columns - 1) * space.gap) / columns;
    const rows = Math.ceil(count / columns);
    const height = rows * ((width * 9) / 16 + space.foot) + (rows - 1) * space.gap;
    if (height <= space.height) {
      best = columns;
    }
  }
  return best;
}
