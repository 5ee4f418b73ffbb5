// The wall's one WebSocket: opened with a new ticket each time, and opened again when it is lost.

import { CallError, closedWait, newTicket, protocolsOf } from "./api.js";
import { Backoff } from "./backoff.js";
import { EVENT, FrameReader, TILE, parseEvent, parseTile, visibleFrame } from "./wall-frames.js";

const SILENT_MS = 15_000; // the daemon speaks every 2 s; so long without a word is a dead link
const OPENING_MS = 15_000;
const FINAL = new Set([401, 403, 404, 422]); // trying again by itself would change nothing

/**
 * `handlers`: `event(event)`, `tile(tile)`, `opened()`, `closed()` — by an administrator, for all —,
 * `lost(waitMs)` — also before each new try —, and `ended(error)`: no try will follow.
 */
export class WallLink {
  #page;
  #handlers;
  #backoff = new Backoff();
  #socket = null;
  #timer = 0;
  #watch = 0;
  #visible = { numbers: [], width: 320, large: [] };
  #alive = false;

  constructor(page, handlers) {
    this.#page = page;
    this.#handlers = handlers;
  }

  /** Open, now; a wait for the next try ends. */
  async open() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    const wanted = { kind: "wall", [this.#page.kind]: this.#page.place };
    let ticket;
    try {
      ticket = await newTicket(this.#page, wanted);
    } catch (error) {
      this.#failed(error);
      return;
    }
    this.#dial(ticket);
  }

  get isWaiting() {
    return this.#timer !== 0;
  }

  #failed(error) {
    const wait = closedWait(error);
    if (wait > 0) {
      this.#handlers.closed();
      this.#later(wait);
    } else if (error instanceof CallError && FINAL.has(error.status)) {
      this.#handlers.ended(error);
    } else {
      this.#later(error.retryAfter ? error.retryAfter * 1000 : 0);
    }
  }

  #later(least = 0) {
    if (this.#timer !== 0) {
      return;
    }
    const wait = Math.max(least, this.#backoff.next());
    this.#timer = setTimeout(() => this.open(), wait);
    this.#handlers.lost(wait);
  }

  #dial(ticket) {
    const frames = new FrameReader();
    const socket = new WebSocket(ticket.url, protocolsOf(ticket));
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    this.#listen(OPENING_MS);
    socket.addEventListener("message", (message) => {
      if (socket !== this.#socket) {
        return;
      }
      this.#listen(SILENT_MS);
      try {
        this.#take(frames.feed(message.data));
      } catch {
        this.#drop(); // not our protocol: a new connection starts clean
      }
    });
    socket.addEventListener("close", () => {
      if (socket === this.#socket) {
        this.#drop();
      }
    });
  }

  #take(frames) {
    for (const { type, payload } of frames) {
      if (type === EVENT) {
        const event = parseEvent(payload);
        if (event?.event === "snapshot") {
          this.#began();
        }
        if (event !== null) {
          this.#handlers.event(event);
        }
      } else if (type === TILE) {
        this.#handlers.tile(parseTile(payload));
      }
    }
  }

  #began() {
    this.#alive = true;
    this.#backoff.reset();
    this.#handlers.opened();
    this.#tellVisible();
  }

  #drop() {
    clearTimeout(this.#watch);
    const socket = this.#socket;
    this.#socket = null;
    this.#alive = false;
    socket?.close();
    this.#later();
  }

  #listen(milliseconds) {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => this.#drop(), milliseconds);
  }

  /** Say which tiles are shown, and which of them large; said again after each opening. */
  show(numbers, width, large = []) {
    const before = this.#visible;
    this.#visible = { numbers, width, large };
    if (width !== before.width || `${numbers}|${large}` !== `${before.numbers}|${before.large}`) {
      this.#tellVisible();
    }
  }

  #tellVisible() {
    if (this.#alive && this.#socket?.readyState === WebSocket.OPEN) {
      this.#socket.send(visibleFrame(this.#visible.numbers, this.#visible.width, this.#visible.large));
    }
  }
}
