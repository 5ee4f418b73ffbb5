// What is said of a link's speed: words for its latency, figures for the curious. Pure.

import { t } from "./words.js";

export const QUICK_MS = 80; // nobody feels less
export const SLOW_MS = 200; // the pointer is felt to lag behind the hand
const KEPT = 5; // measurements; one that a large picture delayed is not the link

/** The middle one of the last few measurements. */
export class Latency {
  #trips = [];

  add(milliseconds) {
    this.#trips = [...this.#trips, milliseconds].slice(-KEPT);
  }

  forget() {
    this.#trips = [];
  }

  /** Whole milliseconds, or null as long as nothing was measured. */
  get now() {
    const sorted = [...this.#trips].sort((a, b) => a - b);
    return sorted.length === 0 ? null : Math.round(sorted[Math.floor(sorted.length / 2)]);
  }
}

/** `{text, pace}` of a latency: `quick`, `fair` or `slow`. */
export function latencySaid(milliseconds) {
  if (milliseconds === null) {
    return { text: t("measuring"), pace: "fair" };
  }
  if (milliseconds > SLOW_MS) {
    return { text: t("slow, {n} ms", { n: milliseconds }), pace: "slow" };
  }
  return { text: t("{n} ms", { n: milliseconds }), pace: milliseconds <= QUICK_MS ? "quick" : "fair" };
}

/** Bits a second as people say it, in that language. */
export function bandwidthSaid(bitsPerSecond, language) {
  const [divisor, digits] = bitsPerSecond >= 1e6 ? [1e6, 1] : [1e3, 0];
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: digits });
  const n = number.format(bitsPerSecond / divisor);
  return divisor === 1e6 ? t("{n} Mbit/s", { n }) : t("{n} kbit/s", { n });
}

// RFC 6143 §7.7, and the registry of RFB's encodings
const ENCODINGS = new Map([
  [0, "Raw"], [1, "CopyRect"], [2, "RRE"], [5, "Hextile"], [6, "Zlib"], [7, "Tight"],
  [16, "ZRLE"], [21, "JPEG"], [50, "H.264"], [-260, "TightPNG"],
]);

/** The names of the encodings in use, the most used first; `counts` is number → rectangles. */
export function encodingsSaid(counts) {
  const used = [...counts].filter(([, count]) => count > 0).sort((a, b) => b[1] - a[1]);
  return used.map(([code]) => ENCODINGS.get(code) ?? String(code)).join(", ");
}

/** Lightens the picture while the link stays slow, and sharpens it again once it is not. */
export class Relief {
  #strikes = 0;
  relieved = false;

  feel(milliseconds) {
    this.#strikes = milliseconds > SLOW_MS
      ? Math.min(this.#strikes + 1, KEPT) : Math.max(this.#strikes - 1, 0);
    if (this.#strikes === KEPT) {
      this.relieved = true;
    } else if (this.#strikes === 0) {
      this.relieved = false;
    }
    return this.relieved;
  }
}
