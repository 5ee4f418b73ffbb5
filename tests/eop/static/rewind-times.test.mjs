import assert from "node:assert/strict";
import { test } from "node:test";

import { keptSeconds, minutes, spanAt, stretches } from "../../../eop/static/rewind-times.js";

const SPANS = [{ at: 1000, until: 2000 }, { at: 2000, until: 2000 }, { at: 5000, until: null }];

test("a moment belongs to the picture that was on the screen, or to none", () => {
  const at = (moment) => spanAt(SPANS, moment)?.at ?? null;
  assert.deepEqual([999, 1000, 1999, 2000, 2001, 4999, 5000, 99_999].map(at),
    [null, 1000, 1000, 2000, null, null, 5000, 5000]);
  assert.equal(spanAt([], 5), null);
});

test("a span of time is read as on a player", () => {
  assert.deepEqual([-1, 0, 5.4, 59.6, 80, 300].map(minutes), ["0:00", "0:00", "0:05", "1:00", "1:20", "5:00"]);
});

test("what is close together is one stretch, and a gap is a gap", () => {
  const now = 100_000;
  const spans = [
    { at: now - 60_000, until: now - 50_000 }, { at: now - 50_000, until: now - 40_000 },
    { at: now - 10_000, until: null },
  ];
  assert.deepEqual(stretches(spans, now, 300), [{ x: 240, width: 20 }, { x: 290, width: 10 }]);
  assert.deepEqual(stretches([], now, 300), []);
});

test("what is older than the track begins at its left end, what is over long ago is not on it", () => {
  const now = 1_000_000;
  assert.deepEqual(stretches([{ at: 0, until: null }], now, 300), [{ x: 0, width: 300 }]);
  assert.deepEqual(stretches([{ at: 0, until: 1000 }], now, 300), []);
});

test("what is kept counts where there are pictures, and no gap", () => {
  const now = 1_000_000;
  const spans = [{ at: now - 60_000, until: now - 50_000 }, { at: now - 20_400, until: null }];
  assert.equal(keptSeconds(spans, now, 300), 30);
  assert.equal(keptSeconds([], now, 300), 0);
  assert.equal(keptSeconds([{ at: now - 400_000, until: null }], now, 300), 300);
  assert.equal(keptSeconds([{ at: now - 400_000, until: now - 350_000 }], now, 300), 0);
});
