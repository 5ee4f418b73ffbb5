// The only module that knows noVNC from inside: what the page needs to learn and noVNC keeps quiet.
// noVNC is pinned; the journeys of one screen fail if a version changes what is used here.

import { isModifier } from "./typed-text.js";

const REQUEST = 0x8000_0000; // of a fence: answer me
const FENCE_HEAD = 8; // after the message's type: padding, flags, length
const OUR_FENCE = "eop:";
const SCREEN_BYTES = 16;

/**
 * noVNC's RFB with more to tell. Events: `resized`, `monitors`, `frame` (a picture is whole),
 * `locks` and `struck` (a key that is no modifier was let go). `byPosition` sends keys by their
 * place, for a workstation with the keyboard layout of this computer; else by what they type.
 */
export function screenClass(RFB) {
  return class Screen extends RFB {
    byPosition = false;
    monitors = [];
    frames = 0;
    encodings = new Map(); // code → rectangles
    capsLock = null; // whether it is on there; null: not told
    keepCapsLock = false; // it was switched from this page: do not bring it into line
    #trip = null; // {name, since, done}

    get size() {
      return { width: this._fbWidth, height: this._fbHeight };
    }

    get canvas() {
      return this._canvas;
    }

    /** Ask the far end for a sign of life; `done` gets milliseconds, of a late one those so far. */
    measure(done) {
      if (this._rfbConnectionState !== "connected") {
        return;
      }
      if (this.#trip !== null) {
        done(performance.now() - this.#trip.since);
        return;
      }
      this.#trip = { name: OUR_FENCE + (performance.now() % 1000).toFixed(0), since: performance.now(), done };
      if (this._supportsFence) {
        RFB.messages.clientFence(this._sock, REQUEST, this.#trip.name);
      } else {
        this.#trip.name = null; // any picture is an answer
        RFB.messages.fbUpdateRequest(this._sock, false, 0, 0, 1, 1);
      }
    }

    #arrived() {
      const trip = this.#trip;
      this.#trip = null;
      trip.done(performance.now() - trip.since);
    }

    sendKey(keysym, code, down) {
      if (down === undefined || this.byPosition) {
        super.sendKey(keysym, code, down);
      } else if (keysym) {
        super.sendKey(keysym, "", down); // a dead key alone types nothing yet
      }
      if (down === false && !isModifier(keysym)) {
        this.dispatchEvent(new CustomEvent("struck"));
      }
    }

    _resize(width, height) {
      super._resize(width, height);
      this.dispatchEvent(new CustomEvent("resized"));
    }

    _handleExtendedDesktopSize() {
      if (this._sock.rQwait("monitors", 4)) {
        return false;
      }
      const bytes = 4 + this._sock.rQpeek8() * SCREEN_BYTES;
      if (this._sock.rQwait("monitors", bytes)) {
        return false;
      }
      const refused = this._FBU.x === 1 && this._FBU.y !== 0;
      const list = new DataView(this._sock.rQpeekBytes(bytes).buffer);
      const known = super._handleExtendedDesktopSize();
      if (!refused) {
        this.monitors = [];
        for (let at = 4; at < bytes; at += SCREEN_BYTES) {
          const [x, y, width, height] = [4, 6, 8, 10].map((field) => list.getUint16(at + field));
          this.monitors.push({ x, y, width, height });
        }
        this.dispatchEvent(new CustomEvent("monitors"));
      }
      return known;
    }

    _handleLedEvent() {
      const known = super._handleLedEvent();
      if (known) {
        this.capsLock = this._remoteCapsLock;
        if (this.keepCapsLock) {
          this._remoteCapsLock = null;
        }
        this.dispatchEvent(new CustomEvent("locks"));
      }
      return known;
    }

    _handleDataRect() {
      const code = this._FBU.encoding;
      const done = super._handleDataRect();
      if (done) {
        this.encodings.set(code, (this.encodings.get(code) ?? 0) + 1);
      }
      return done;
    }

    _framebufferUpdate() {
      const whole = super._framebufferUpdate();
      if (whole) {
        if (this.#trip?.name === null) {
          this.#arrived(); // asked for by us: no picture that came by itself
        } else {
          this.frames += 1;
        }
        this.dispatchEvent(new CustomEvent("frame"));
      }
      return whole;
    }

    _handleServerFenceMsg() {
      const head = this._sock.rQpeekBytes(FENCE_HEAD);
      const ours = this._sock.rQlen() >= FENCE_HEAD && head[3] < 0x80; // not a request
      if (!ours) {
        return super._handleServerFenceMsg();
      }
      const length = head[FENCE_HEAD - 1];
      if (this._sock.rQwait("fence", FENCE_HEAD + length, 1)) {
        return false;
      }
      this._sock.rQskipBytes(FENCE_HEAD);
      const name = this._sock.rQshiftStr(length);
      if (name === this.#trip?.name) {
        this.#arrived();
      }
      return true;
    }
  };
}
