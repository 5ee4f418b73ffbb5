import assert from "node:assert/strict";
import { test } from "node:test";

import {
  EVENT, FrameError, FrameReader, MAX_DOWN_BYTES, TILE, parseEvent, parseTile, tileWidth, visibleFrame,
} from "../../../eop/static/wall-frames.js";

function frame(type, payload) {
  const bytes = new Uint8Array(5 + payload.length);
  new DataView(bytes.buffer).setUint32(0, 1 + payload.length);
  bytes[4] = type;
  bytes.set(payload, 5);
  return bytes;
}
const text = (value) => new TextEncoder().encode(value);
const joined = (...parts) => new Uint8Array(parts.flatMap((part) => [...part]));
const fed = (reader, bytes) => reader.feed(bytes.slice().buffer);

test("frames are the same however the stream is cut", () => {
  const stream = joined(frame(EVENT, text("{}")), frame(TILE, new Uint8Array(300).fill(7)), frame(9, []));
  for (let cut = 1; cut <= stream.length; cut += 1) {
    const reader = new FrameReader();
    const frames = [];
    for (let at = 0; at < stream.length; at += cut) {
      frames.push(...fed(reader, stream.subarray(at, at + cut)));
    }
    assert.deepEqual(frames.map(({ type, payload }) => [type, payload.length]), [[1, 2], [2, 300], [9, 0]]);
  }
});

test("an empty message is no frame", () => {
  assert.deepEqual(fed(new FrameReader(), new Uint8Array()), []);
});

test("the longest frame passes and one byte more does not", () => {
  const longest = frame(TILE, new Uint8Array(MAX_DOWN_BYTES - 1));
  assert.equal(fed(new FrameReader(), longest)[0].payload.length, MAX_DOWN_BYTES - 1);
  const head = new Uint8Array(4);
  new DataView(head.buffer).setUint32(0, MAX_DOWN_BYTES + 1);
  assert.throws(() => fed(new FrameReader(), head), FrameError);
});

test("a frame without a type is refused at once", () => {
  assert.throws(() => fed(new FrameReader(), new Uint8Array(4)), FrameError);
});

test("a frame's payload keeps its bytes when more arrives", () => {
  const reader = new FrameReader();
  const [{ payload }] = fed(reader, joined(frame(EVENT, text("abc")), [0, 0]));
  fed(reader, new Uint8Array([0, 2, 1, 120]));
  assert.equal(new TextDecoder().decode(payload), "abc");
});

test("a tile tells its number, sequence and time", () => {
  const payload = new Uint8Array(17);
  const view = new DataView(payload.buffer);
  view.setUint32(0, 42);
  view.setUint32(4, 0xffffffff);
  view.setBigUint64(8, 1795249400123n);
  payload[16] = 0xff;
  const tile = parseTile(payload);
  assert.deepEqual([tile.number, tile.sequence, tile.capturedAt, [...tile.jpeg]], [42, 0xffffffff, 1795249400123, [255]]);
});

test("a tile without a picture is refused", () => {
  assert.throws(() => parseTile(new Uint8Array(16)), FrameError);
});

test("events without a name are ignored and broken ones refused", () => {
  assert.deepEqual(parseEvent(text('{"event":"seen","now":1}')), { event: "seen", now: 1 });
  for (const odd of ["null", "[]", "7", "{}", '{"event":7}']) {
    assert.equal(parseEvent(text(odd)), null);
  }
  assert.throws(() => parseEvent(text("{")), FrameError);
  assert.throws(() => parseEvent(new Uint8Array([0xff])), FrameError);
});

test("what is visible goes up as one frame", () => {
  const [{ type, payload }] = fed(new FrameReader(), visibleFrame([3, 1], 480));
  assert.equal(type, EVENT);
  assert.deepEqual(JSON.parse(new TextDecoder().decode(payload)), { visible: [3, 1], width: 480 });
  const large = fed(new FrameReader(), visibleFrame([3], 320, [7]))[0].payload;
  assert.deepEqual(JSON.parse(new TextDecoder().decode(large)), { visible: [3], width: 320, large: [7] });
});

test("the width asked for is one that is made", () => {
  assert.deepEqual([0, 320, 321, 480, 500, 640, 2000].map(tileWidth), [320, 320, 480, 480, 640, 640, 640]);
});
