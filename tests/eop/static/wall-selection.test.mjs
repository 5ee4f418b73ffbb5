import assert from "node:assert/strict";
import { test } from "node:test";

import { countOf, offer } from "../../../eop/static/wall-offer.js";
import { Selection } from "../../../eop/static/wall-selection.js";
import { Walk } from "../../../eop/static/wall-walk.js";
import { Large } from "../../../eop/static/wall-large.js";

const ORDER = [1, 2, 3, 4, 5, 6];

function selected(selection) {
  return ORDER.filter((number) => selection.has(number));
}

test("one is selected and deselected, and each change is told once", () => {
  let changes = 0;
  const selection = new Selection(() => { changes += 1; });
  selection.toggle(2);
  selection.toggle(2, true);
  assert.deepEqual(selected(selection), [2]);
  assert.equal(changes, 1);
  selection.toggle(2);
  assert.equal(selection.size, 0);
  selection.clear();
  assert.equal(changes, 2);
});

test("a range follows its end, both ways, and keeps what was selected before it", () => {
  const selection = new Selection(() => {});
  selection.toggle(6);
  selection.toggle(3);
  selection.extend(3, 5, ORDER);
  assert.deepEqual(selected(selection), [3, 4, 5, 6]);
  selection.extend(5, 1, ORDER);
  assert.deepEqual(selected(selection), [1, 2, 3, 6]);
  selection.extend(1, 3, ORDER);
  assert.deepEqual(selected(selection), [3, 6]);
});

test("a range begins where it is asked to when nothing was selected there", () => {
  const selection = new Selection(() => {});
  selection.extend(2, 3, ORDER);
  assert.deepEqual(selected(selection), [2, 3]);
  selection.replace([]);
  selection.extend(5, 5, ORDER);
  assert.deepEqual(selected(selection), [5]);
});

test("who walks from elsewhere begins another range; a click goes on with the old one", () => {
  const selection = new Selection(() => {});
  selection.toggle(1);
  selection.extend(4, 5, ORDER);
  assert.deepEqual(selected(selection), [1, 4, 5]);
  selection.extend(null, 6, ORDER);
  assert.deepEqual(selected(selection), [1, 4, 5, 6]);
  selection.extend(null, 2, ORDER);
  assert.deepEqual(selected(selection), [1, 2, 3, 4]);
});

test("what is no longer there is forgotten, and all can be added", () => {
  const selection = new Selection(() => {});
  selection.add([1, 2, 3]);
  selection.forget(2);
  selection.forget(99);
  assert.deepEqual(selected(selection), [1, 3]);
  selection.extend(4, 4, ORDER);
  assert.deepEqual(selected(selection), [1, 3, 4]);
});

const words = { empty: "none there", one: "one only" };
const can = (tile) => tile.why ?? null;

test("an action is offered for those of the scope that can, with their count", () => {
  const tiles = [{}, { why: "off" }, {}];
  const offered = offer({ can }, tiles, words);
  assert.deepEqual(offered, { able: [tiles[0], tiles[2]], reason: null });
  assert.equal(countOf(offered, tiles), "2/3");
  assert.equal(countOf(offer({ can }, [{}], words), [{}]), "");
});

test("an action that none can do says why", () => {
  assert.equal(offer({ can }, [{ why: "off" }, { why: "off" }], words).reason, "off");
  const two = [{ why: "off" }, { why: "refused" }];
  assert.equal(offer({ can }, two, words).reason, "off");
  assert.equal(offer({ can, none: () => "no picture" }, two, words).reason, "no picture");
  assert.equal(offer({ can }, [], words).reason, "none there");
  assert.equal(offer({ can, one: true }, [{}, {}], words).reason, "one only");
  assert.deepEqual(offer({ can, one: true }, [{}], words), { able: [{}], reason: null });
});

test("a walk shows at most four, steps by what it shows, and comes round", () => {
  const walk = new Walk([1, 2, 3, 4, 5, 6]);
  assert.deepEqual(walk.shown, [1, 2, 3, 4]);
  walk.step(1);
  assert.deepEqual(walk.shown, [5, 6, 1, 2]);
  walk.step(-1);
  walk.step(-1);
  assert.deepEqual(walk.shown, [3, 4, 5, 6]);
  assert.deepEqual(walk.resized(1).shown, [3]);
  assert.ok(new Walk([7, 8]).isWhole);
  assert.ok(!new Walk([7, 8], 1).isWhole);
});

test("a walk goes on without a workstation that left, and ends with the last", () => {
  const walk = new Walk([1, 2], 1);
  walk.step(1);
  assert.deepEqual(walk.without(2).shown, [1]);
  assert.deepEqual(walk.without(1).without(2).shown, []);
  new Walk([]).step(1);
});

test("a picture stays large until the last who wants it lets go, each once", () => {
  let changes = 0;
  const large = new Large(() => { changes += 1; });
  const one = large.want([3, 1]);
  const two = large.want([3]);
  assert.deepEqual(large.numbers, [1, 3]);
  one();
  one();
  assert.deepEqual(large.numbers, [3]);
  two();
  assert.deepEqual(large.numbers, []);
  assert.equal(changes, 4);
});
