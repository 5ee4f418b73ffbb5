// Small choices a browser keeps for itself, and the order of the wall one walks along.

const PREFIX = "eop.screen.";
const MOST_IDS = 2000; // of a walk; a larger wall is walked in the site's order

/** What was chosen last on this computer, if it is one of `allowed`; else the first of them. */
export function kept(name, allowed) {
  let found = null;
  try {
    found = localStorage.getItem(PREFIX + name);
  } catch {
    // this browser keeps nothing: the first is what everybody begins with
  }
  return allowed.includes(found) ? found : allowed[0];
}

export function keep(name, value) {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // as above: the choice holds for this page
  }
}

/** Note in this tab in which order the wall of `query` stands. */
export function keepWalk(query, ids) {
  try {
    sessionStorage.setItem(PREFIX + "walk", JSON.stringify({ query, ids: ids.slice(0, MOST_IDS) }));
  } catch {
    // the site's own order is a good one
  }
}

/** The ids before and after one on the wall this tab came from; null where the wall did not say. */
export function walkedNeighbours(query, id) {
  let text = null;
  try {
    text = sessionStorage.getItem(PREFIX + "walk");
  } catch {
    return null;
  }
  return neighboursIn(text, query, id);
}

/** The same, of the noted text. Pure. */
export function neighboursIn(text, query, id) {
  let walk = null;
  try {
    walk = JSON.parse(text);
  } catch {
    return null;
  }
  const at = walk?.query === query && Array.isArray(walk.ids) ? walk.ids.indexOf(id) : -1;
  return at < 0 ? null : { before: walk.ids[at - 1] ?? null, after: walk.ids[at + 1] ?? null };
}
