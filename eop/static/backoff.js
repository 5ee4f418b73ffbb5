// How long to wait before the next try: doubling, with jitter, never above ten seconds. Pure.

const FIRST_MS = 500;
export const LONGEST_MS = 10_000;

export class Backoff {
  #tries = 0;
  #random;

  constructor(random = Math.random) {
    this.#random = random;
  }

  /** Milliseconds to wait now: between half and the whole of a doubling span. */
  next() {
    const span = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(this.#tries, 10));
    this.#tries += 1;
    return Math.round(span * (0.5 + this.#random() / 2));
  }

  reset() {
    this.#tries = 0;
  }
}
