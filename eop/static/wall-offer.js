// What an action can do in a scope: with which workstations, and if with none, why not. Pure.

/**
 * An action's `can(tile)` gives `null`, or the reason why not. One that is for `one` workstation is
 * not offered for more. Gives `{able, reason}`: `reason` is `null` where there is one at least.
 */
export function offer(action, tiles, words) {
  if (tiles.length === 0) {
    return { able: [], reason: words.empty };
  }
  if (action.one && tiles.length > 1) {
    return { able: [], reason: words.one };
  }
  const able = tiles.filter((tile) => action.can(tile) === null);
  if (able.length > 0) {
    return { able, reason: null };
  }
  const reasons = new Set(tiles.map((tile) => action.can(tile)));
  return { able, reason: reasons.size === 1 ? [...reasons][0] : (action.none?.() ?? [...reasons][0]) };
}

/** The count beside an action: "21/24" where some of the scope cannot, else nothing. */
export function countOf({ able }, tiles) {
  return able.length > 0 && able.length < tiles.length ? `${able.length}/${tiles.length}` : "";
}
