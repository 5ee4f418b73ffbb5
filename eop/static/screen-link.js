// The connection of one screen: a ticket, noVNC over it, and again whenever it is lost.

import { CallError, closedWait, newTicket, protocolsOf } from "./api.js";
import { Backoff } from "./backoff.js";

const FINAL = new Set([401, 403, 404, 422]); // trying again by itself would change nothing
const SETTLED_MS = 5000; // a screen that stayed open so long starts the waits anew
const PROBE_MS = 5000;
const PROBE_DEADLINE_MS = 4000;
const MOST_UNANSWERED = 2; // probes without any answer: the network is a hole
const SLEEP_MS = 15_000; // a clock that jumped so far: the computer slept

/**
 * `handlers`: `opening()`, `opened(rfb)`, `lost(waitMs, reason, picture)`, `closed(waitMs, error)`
 * — by an administrator, for all —, `ended(error)` — no try will follow —, `replaced()` — it is
 * somebody else's screen now, and is not opened. `reason` is what the daemon said when it refused
 * the screen, or "".
 */
export class ScreenLink {
  #page;
  #RFB;
  #target;
  #handlers;
  #backoff = new Backoff();
  #rfb = null;
  #timer = 0;
  #attempt = 0;
  #settled = 0;
  #unanswered = 0;
  #lastTick = Date.now();
  mode = "view";
  received = 0; // bytes, since the page was opened

  constructor(page, RFB, target, handlers) {
    this.#page = page;
    this.#RFB = RFB;
    this.#target = target;
    this.#handlers = handlers;
    window.addEventListener("online", () => this.retryNow());
    window.addEventListener("offline", () => this.#drop());
    setInterval(() => this.#probe(), PROBE_MS);
  }

  /** Open in that mode; what was open is closed first. */
  open(mode) {
    this.mode = mode;
    this.#attempt += 1;
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#close();
    this.#handlers.opening();
    this.#try(this.#attempt);
  }

  /** End a wait, if there is one. */
  retryNow() {
    if (this.#timer !== 0) {
      clearTimeout(this.#timer);
      this.#timer = 0;
      this.#try(this.#attempt);
    }
  }

  async #try(attempt) {
    const wanted = { kind: "screen", workstation: this.#page.workstation, mode: this.mode };
    let ticket;
    try {
      ticket = await newTicket(this.#page, wanted);
    } catch (error) {
      if (attempt === this.#attempt) {
        this.#failed(error);
      }
      return;
    }
    if (attempt !== this.#attempt) {
      return;
    }
    if (ticket.user === this.#page.user) {
      this.#dial(ticket);
    } else {
      this.#handlers.replaced();
    }
  }

  #failed(error) {
    const wait = closedWait(error);
    if (wait > 0) {
      this.#tryIn(wait);
      this.#handlers.closed(wait, error);
    } else if (error instanceof CallError && FINAL.has(error.status)) {
      this.#handlers.ended(error);
    } else {
      this.#later(error.status === 503 ? error.message : "", null);
    }
  }

  #dial(ticket) {
    const socket = new WebSocket(ticket.url, protocolsOf(ticket));
    socket.addEventListener("message", ({ data }) => { this.received += data.byteLength; });
    const rfb = new this.#RFB(this.#target, socket);
    let reason = "";
    this.#rfb = rfb;
    this.#unanswered = 0;
    rfb.viewOnly = this.mode === "view";
    rfb.addEventListener("connect", () => {
      if (rfb === this.#rfb) {
        this.#settled = setTimeout(() => this.#backoff.reset(), SETTLED_MS);
        this.#handlers.opened(rfb);
      }
    });
    rfb.addEventListener("securityfailure", (event) => {
      reason = event.detail.reason ?? "";
    });
    rfb.addEventListener("disconnect", () => {
      if (rfb === this.#rfb) {
        this.#rfb = null;
        clearTimeout(this.#settled);
        this.#later(reason, pictureOf(rfb));
      }
    });
  }

  #later(reason, picture) {
    if (this.#timer !== 0) {
      return;
    }
    const wait = this.#backoff.next();
    this.#tryIn(wait);
    this.#handlers.lost(wait, reason, picture);
  }

  #tryIn(wait) {
    const attempt = this.#attempt;
    this.#timer = setTimeout(() => {
      this.#timer = 0;
      this.#try(attempt);
    }, wait);
  }

  #close() {
    const rfb = this.#rfb;
    this.#rfb = null;
    clearTimeout(this.#settled);
    rfb?.disconnect();
    return rfb;
  }

  /** Give up a connection that is dead though nobody said so. */
  #drop() {
    if (this.#rfb !== null) {
      const rfb = this.#close();
      this.#later("", pictureOf(rfb));
    }
  }

  /** A still screen sends nothing, so a dead network shows only when something else is asked. */
  async #probe() {
    const slept = Date.now() - this.#lastTick > SLEEP_MS;
    this.#lastTick = Date.now();
    if (slept && !document.hidden) {
      this.#drop();
      this.retryNow();
      return;
    }
    if (this.#rfb === null || document.hidden) {
      return;
    }
    try {
      const answer = await fetch("/ping", { signal: AbortSignal.timeout(PROBE_DEADLINE_MS) });
      await answer.text(); // an answer that nobody reads counts as broken off
      this.#unanswered = 0;
    } catch (error) {
      // A quick refusal is a site that restarts on a living network; the screen can go on.
      this.#unanswered = error.name === "TimeoutError" ? this.#unanswered + 1 : 0;
    }
    if (this.#unanswered >= MOST_UNANSWERED) {
      this.#unanswered = 0;
      this.#drop();
    }
  }
}

function pictureOf(rfb) {
  try {
    return rfb.toDataURL("image/jpeg", 0.8);
  } catch {
    return null; // nothing was ever drawn
  }
}
