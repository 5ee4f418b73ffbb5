import assert from "node:assert/strict";
import { test } from "node:test";

import { Bursts, FEW, QUIET_BURSTS } from "../../../eop/static/wall-bursts.js";

const picture = (number, sequence = 1) => ({ number, sequence });

function recorded() {
  const drawn = [];
  const bursts = new Bursts((pictures) => drawn.push(pictures.map(({ number, sequence }) => [number, sequence])));
  return { bursts, drawn };
}

/** Bursts of a wall where `count` tiles have a new picture every second. */
function busy(count) {
  const { bursts, drawn } = recorded();
  for (let second = 1; second <= 2; second += 1) {
    for (let number = 0; number < count; number += 1) {
      bursts.take(picture(number, second));
    }
    bursts.burst();
  }
  drawn.length = 0;
  return { bursts, drawn };
}

test("few pictures are drawn as they come", () => {
  const { bursts, drawn } = busy(FEW / 2);
  bursts.take(picture(0, 3));
  assert.deepEqual(drawn, [[[0, 3]]]);
  assert.equal(bursts.burst(), false);
});

test("many pictures are drawn in one burst, the newest of each tile", () => {
  const { bursts, drawn } = busy(FEW + 1);
  bursts.take(picture(2, 3));
  bursts.take(picture(0, 3));
  bursts.take(picture(2, 4));
  assert.deepEqual(drawn, []);
  assert.equal(bursts.burst(), true);
  assert.deepEqual(drawn, [[[2, 4], [0, 3]]]);
  assert.equal(bursts.burst(), false);
});

test("one picture more than a few waits", () => {
  const { bursts, drawn } = busy(FEW);
  assert.equal(drawn.length, 0);
  bursts.take(picture(0, 3));
  assert.deepEqual(drawn, []);
});

test("a tile that stood still waits for no burst", () => {
  const { bursts, drawn } = busy(FEW + 1);
  for (let second = 0; second < QUIET_BURSTS; second += 1) {
    for (let number = 1; number <= FEW + 1; number += 1) {
      bursts.take(picture(number));
    }
    bursts.burst();
  }
  drawn.length = 0;
  for (let number = 0; number <= FEW; number += 1) {
    bursts.take(picture(number, 9));
  }
  assert.deepEqual(drawn, [[[0, 9]]]);
});

test("a tile seen for the first time waits for no burst", () => {
  const { bursts, drawn } = busy(FEW + 1);
  bursts.take(picture(99));
  assert.deepEqual(drawn, [[[99, 1]]]);
});

test("what waits can be dropped", () => {
  const { bursts, drawn } = busy(FEW + 1);
  bursts.take(picture(0, 3));
  bursts.clear();
  assert.equal(bursts.burst(), false);
  assert.deepEqual(drawn, []);
});
