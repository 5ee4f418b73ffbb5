import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.document = { getElementById: () => null }; // a page in English: no words of its own

const { neighboursIn } = await import("../../../eop/static/kept.js");
const { Latency, Relief, bandwidthSaid, encodingsSaid, latencySaid } = await import("../../../eop/static/screen-figures.js");
const { monitorsIn, placed } = await import("../../../eop/static/screen-geometry.js");
const { beyondLatin1, edits, isModifier, keysymOf, keysymsOf } = await import("../../../eop/static/typed-text.js");

const TWO = { width: 1600, height: 600 };
const RIGHT = { x: 800, y: 0, width: 800, height: 600 };

test("a fitted picture is as large as its room lets it be", () => {
  const { scale, opening } = placed(TWO, { x: 0, y: 0, ...TWO }, { width: 800, height: 800 }, true);
  assert.equal(scale, 0.5);
  assert.deepEqual(opening, { width: 800, height: 300 });
});

test("one monitor fills the opening and the others lie outside it", () => {
  const { opening, picture } = placed(TWO, RIGHT, { width: 400, height: 400 }, true);
  assert.deepEqual(opening, { width: 400, height: 300 });
  assert.deepEqual(picture, { left: -400, top: 0, width: 800, height: 300 });
});

test("at 100 % a pixel is a pixel, whatever the room", () => {
  const { scale, opening } = placed(TWO, RIGHT, { width: 10, height: 10 }, false);
  assert.equal(scale, 1);
  assert.deepEqual(opening, { width: 800, height: 600 });
});

test("monitors go from left to right, and those outside the picture are not offered", () => {
  const left = { x: 0, y: 0, width: 800, height: 600 };
  const gone = { x: 1600, y: 0, width: 800, height: 600 };
  const off = { x: 0, y: 0, width: 0, height: 0 };
  assert.deepEqual(monitorsIn(TWO, [RIGHT, gone, off, left]), [left, RIGHT]);
});

test("the latency is the middle of the last five, and unknown at first", () => {
  const latency = new Latency();
  assert.equal(latency.now, null);
  [10, 900, 20, 30, 25.4].forEach((trip) => latency.add(trip));
  assert.equal(latency.now, 25);
  [300, 300, 300].forEach((trip) => latency.add(trip));
  assert.equal(latency.now, 300);
  latency.forget();
  assert.equal(latency.now, null);
});

test("a latency is good to 80 ms, plain to 200, and slow in words beyond", () => {
  assert.deepEqual(latencySaid(80), { text: "80 ms", pace: "quick" });
  assert.deepEqual(latencySaid(81), { text: "81 ms", pace: "fair" });
  assert.deepEqual(latencySaid(200), { text: "200 ms", pace: "fair" });
  assert.deepEqual(latencySaid(201), { text: "slow, 201 ms", pace: "slow" });
});

test("figures are written in the page's language", () => {
  assert.equal(bandwidthSaid(1_234_567, "fr"), "1,2 Mbit/s");
  assert.equal(bandwidthSaid(999_999, "en"), "1,000 kbit/s");
  assert.equal(encodingsSaid(new Map([[1, 2], [7, 9], [0, 0], [99, 1]])), "Tight, CopyRect, 99");
});

test("pictures get lighter after five slow trips and sharp again after as many good ones", () => {
  const relief = new Relief();
  const feel = (milliseconds, times) => Array.from({ length: times }, () => relief.feel(milliseconds)).at(-1);
  assert.equal(feel(201, 4), false);
  assert.equal(feel(201, 1), true);
  assert.equal(feel(200, 4), true);
  assert.equal(feel(200, 1), false);
});

test("characters have the keysyms of X11", () => {
  assert.deepEqual(["a", "é", "ê", "@"].map(keysymOf), [0x61, 0xe9, 0xea, 0x40]);
  assert.equal(keysymOf("€"), 0x010020ac);
  assert.equal(keysymOf("œ"), 0x01000153);
  assert.equal(keysymOf("\u{1F600}"), 0x0101f600);
  assert.deepEqual(keysymsOf("a\r\nb\t\u0000"), [0x61, 0xff0d, 0x62, 0xff09]);
});

test("shift, locks and AltGr only change other keys", () => {
  assert.deepEqual([0xffe1, 0xffe3, 0xffe5, 0xffee, 0xfe03, 0xff7f].map(isModifier), Array(6).fill(true));
  assert.deepEqual([0x61, 0xff0d, 0xffff, 0xffe0, null].map(isModifier), Array(5).fill(false));
});

test("what a field's text became is told as erasing and typing", () => {
  assert.deepEqual(edits("ab", "abc"), { erased: 0, typed: "c" });
  assert.deepEqual(edits("abc", "ab"), { erased: 1, typed: "" });
  assert.deepEqual(edits("the tea", "the team"), { erased: 0, typed: "m" });
  assert.deepEqual(edits("hte", "the"), { erased: 3, typed: "the" });
  assert.deepEqual(edits("a\u{1F600}", "a"), { erased: 1, typed: "" });
});

test("any edit of a field is followed by what it makes typed", () => {
  const texts = ["", "a", "ab", "aé", "abc", "xab", "œuf", "œufs au riz"];
  for (const before of texts) {
    for (const after of texts) {
      const { erased, typed } = edits(before, after);
      assert.equal([...before].slice(0, [...before].length - erased).join("") + typed, after);
    }
  }
});

test("characters beyond Latin-1 are counted", () => {
  assert.equal(beyondLatin1("été ÿ"), 0);
  assert.equal(beyondLatin1("œuf à 2 €"), 2);
});

test("the neighbours are those of the wall one came from, and of no other", () => {
  const walk = JSON.stringify({ query: "room=S12", ids: ["c", "a", "b"] });
  assert.deepEqual(neighboursIn(walk, "room=S12", "a"), { before: "c", after: "b" });
  assert.deepEqual(neighboursIn(walk, "room=S12", "c"), { before: null, after: "a" });
  assert.equal(neighboursIn(walk, "room=S13", "a"), null);
  assert.equal(neighboursIn(walk, "room=S12", "z"), null);
  for (const text of [null, "", "[]", "{", '{"query":"room=S12"}', '{"query":"room=S12","ids":"a"}']) {
    assert.equal(neighboursIn(text, "room=S12", "a"), null);
  }
});
