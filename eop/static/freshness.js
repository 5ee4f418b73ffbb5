// How old a picture is by the daemon's clock, and what that means. Pure.

export const STALE_SECONDS = 5;
export const GONE_SECONDS = 30;
const CLOCK_STEP_MS = 10_000; // a larger difference is a clock that was set, not a late message

/** The daemon's clock, known from the `now` of its events. */
export class DaemonClock {
  #ahead = null;
  #local;

  constructor(local = () => performance.now()) {
    this.#local = local;
  }

  /** Learn from an event; the one that was least late counts. */
  learn(now) {
    const ahead = now - this.#local();
    if (this.#ahead === null || ahead > this.#ahead || this.#ahead - ahead > CLOCK_STEP_MS) {
      this.#ahead = ahead;
    }
  }

  /** Forget what was learnt, with the connection. */
  forget() {
    this.#ahead = null;
  }

  /** Milliseconds since 1970 at the daemon, or `null` while unknown. */
  now() {
    return this.#ahead === null ? null : this.#local() + this.#ahead;
  }
}

/** Whole seconds since a picture was proven to be the present one. */
export function ageSeconds(now, provenAt) {
  return Math.max(0, Math.floor((now - provenAt) / 1000));
}

/** `live`, `stale` (greyed, with seconds) or `gone` (no picture). */
export function freshness(seconds) {
  if (seconds >= GONE_SECONDS) {
    return "gone";
  }
  return seconds >= STALE_SECONDS ? "stale" : "live";
}
