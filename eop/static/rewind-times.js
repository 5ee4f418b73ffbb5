// Where a moment lies among the pictures that are kept of a screen. Pure; times in ms.

/** The span that holds `moment`, or `null`: nothing was captured then. */
export function spanAt(spans, moment) {
  return spans.find((one) => one.at <= moment && (one.until === null || moment < Math.max(one.until, one.at + 1))) ?? null;
}

/** A span of time as people read it off a player: "0:05", "1:20". */
export function minutes(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** Where something was captured, `{x, width}` in seconds from the left of a track of `seconds`. */
export function stretches(spans, now, seconds) {
  const found = [];
  for (const { at, until } of spans) {
    const x = Math.max(0, seconds - (now - at) / 1000);
    const end = Math.min(seconds, seconds - (now - (until ?? now)) / 1000);
    const last = found.at(-1);
    if (last !== undefined && x - (last.x + last.width) < 1) {
      last.width = Math.max(last.width, end - last.x);
    } else if (end > 0) {
      found.push({ x, width: Math.max(1, end - x) });
    }
  }
  return found;
}

/** Of how many seconds there are pictures, gaps left out. */
export function keptSeconds(spans, now, seconds) {
  const held = stretches(spans, now, seconds).reduce((sum, { width }) => sum + width, 0);
  return Math.min(seconds, Math.round(held));
}
