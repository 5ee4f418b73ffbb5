// The frames of a wall: `u32 length` of what follows, `u8 type`, payload; both ways. Pure.

export const EVENT = 1;
export const TILE = 2;
export const MAX_DOWN_BYTES = 1024 * 1024; // no frame of a server of ours is longer
const LENGTH_BYTES = 4;
const TILE_HEAD_BYTES = 16; // number, sequence, capture time
const WIDTHS = [320, 480, 640];

export class FrameError extends Error {}

/** Cuts a byte stream into frames, whatever its messages' borders; holds at most one frame. */
export class FrameReader {
  #chunks = [];
  #held = 0;

  /** The frames that are whole now: `{type, payload}`. A frame of impossible length throws. */
  feed(data) {
    if (data.byteLength > 0) {
      this.#chunks.push(new Uint8Array(data));
      this.#held += data.byteLength;
    }
    const frames = [];
    while (this.#held >= LENGTH_BYTES) {
      const length = this.#peekLength();
      if (length < 1 || length > MAX_DOWN_BYTES) {
        throw new FrameError(`a frame of ${length} bytes`);
      }
      if (this.#held < LENGTH_BYTES + length) {
        break;
      }
      const bytes = this.#take(LENGTH_BYTES + length);
      frames.push({ type: bytes[LENGTH_BYTES], payload: bytes.subarray(LENGTH_BYTES + 1) });
    }
    return frames;
  }

  #peekLength() {
    if (this.#chunks[0].length < LENGTH_BYTES) {
      this.#chunks = [join(this.#chunks, this.#held)];
    }
    const first = this.#chunks[0];
    return new DataView(first.buffer, first.byteOffset).getUint32(0);
  }

  #take(count) {
    if (this.#chunks[0].length < count) {
      this.#chunks = [join(this.#chunks, this.#held)];
    }
    const first = this.#chunks[0];
    if (first.length === count) {
      this.#chunks.shift();
    } else {
      this.#chunks[0] = first.subarray(count);
    }
    this.#held -= count;
    return first.subarray(0, count);
  }
}

function join(chunks, size) {
  const joined = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    joined.set(chunk, at);
    at += chunk.length;
  }
  return joined;
}

/** A tile's `{number, sequence, capturedAt, jpeg}`; a short payload throws. */
export function parseTile(payload) {
  if (payload.length <= TILE_HEAD_BYTES) {
    throw new FrameError(`a tile of ${payload.length} bytes`);
  }
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  return {
    number: view.getUint32(0),
    sequence: view.getUint32(4),
    capturedAt: Number(view.getBigUint64(8)),
    jpeg: payload.subarray(TILE_HEAD_BYTES),
  };
}

/** An event, or `null` where its JSON is no object with a name. */
export function parseEvent(payload) {
  let event;
  try {
    event = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
  } catch {
    throw new FrameError("an event that cannot be read");
  }
  return event !== null && typeof event === "object" && typeof event.event === "string"
    ? event
    : null;
}

/** The frame that says which tiles are shown, and how wide; those of `large` as wide as they come. */
export function visibleFrame(numbers, width, large = []) {
  const shown = large.length > 0 ? { visible: numbers, width, large } : { visible: numbers, width };
  const payload = new TextEncoder().encode(JSON.stringify(shown));
  const frame = new Uint8Array(LENGTH_BYTES + 1 + payload.length);
  new DataView(frame.buffer).setUint32(0, 1 + payload.length);
  frame[LENGTH_BYTES] = EVENT;
  frame.set(payload, LENGTH_BYTES + 1);
  return frame;
}

/** The smallest width made for tiles that fills so many pixels of the display. */
export function tileWidth(pixels) {
  return WIDTHS.find((width) => width >= pixels) ?? WIDTHS.at(-1);
}
