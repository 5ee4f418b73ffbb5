import assert from "node:assert/strict";
import { test } from "node:test";

import {
  MOST, arranged, beside, emptyPlace, filled, fromReply, isSame, moved, occupant, rank, removed, resized,
  stepped, toBody, tracks, turned, withAisle,
} from "../../../eop/static/plan-grid.js";

const ids = (count) => Array.from({ length: count }, (_, at) => `w${at + 1}`);
const at = (column, row) => ({ column, row });

test("the usual plan is wider than deep and has one aisle", () => {
  const grid = (count) => (({ columns, rows, aisles }) => [columns, rows, aisles])(arranged(ids(count)));
  assert.deepEqual(grid(24), [6, 4, [3]]);
  assert.deepEqual(grid(6), [3, 2, []]);
  assert.deepEqual(grid(1), [2, 1, []]);
  assert.deepEqual(grid(0), [2, 1, []]);
  const plan = arranged(ids(24));
  assert.deepEqual(plan.seats.get("w1"), at(1, 1));
  assert.deepEqual(plan.seats.get("w7"), at(1, 2));
  assert.deepEqual(plan.seats.get("w24"), at(6, 4));
});

test("every room that fits into the largest grid is placed, and no more", () => {
  for (const count of [1, 2, 3, 39, 100, MOST * MOST]) {
    const plan = arranged(ids(count));
    assert.equal(plan.seats.size, count);
    assert.equal(new Set([...plan.seats.values()].map(({ column, row }) => `${column} ${row}`)).size, count);
  }
  assert.equal(arranged(ids(MOST * MOST + 1)).seats.size, MOST * MOST);
});

test("a plan goes to the site and comes back", () => {
  const plan = moved(arranged(ids(5)), "w5", at(1, 1));
  const body = toBody(plan, 7);
  assert.equal(body.version, 7);
  assert.deepEqual(body.seats[0], { workstation: "w5", column: 1, row: 1 });
  assert.ok(isSame(fromReply({ ...body, version: 8 }), plan));
  assert.equal(fromReply({ version: 0, columns: 0, rows: 0, aisles: [], seats: [] }), null);
});

test("who is put on another's place changes places", () => {
  const plan = arranged(ids(4));
  const after = moved(plan, "w1", plan.seats.get("w4"));
  assert.deepEqual([after.seats.get("w1"), after.seats.get("w4")], [plan.seats.get("w4"), at(1, 1)]);
  assert.deepEqual(plan.seats.get("w1"), at(1, 1)); // the plan before is as it was
  assert.ok(isSame(moved(plan, "w2", plan.seats.get("w2")), plan));
});

test("who comes onto the plan takes the place of another, who leaves it", () => {
  const plan = removed(arranged(ids(4)), "w2");
  assert.equal(occupant(plan, at(2, 1)), undefined);
  const after = moved(plan, "w2", at(1, 1));
  assert.equal(occupant(after, at(1, 1)), "w2");
  assert.equal(after.seats.has("w1"), false);
});

test("a smaller grid leaves out who stood outside, and the aisle", () => {
  const plan = arranged(ids(24));
  const smaller = resized(plan, 3, 4);
  assert.equal(smaller.seats.size, 12);
  assert.deepEqual(smaller.aisles, []);
  assert.deepEqual([resized(plan, 0, 0).columns, resized(plan, 0, 0).rows], [1, 1]);
  assert.deepEqual([resized(plan, 99, 99).columns, resized(plan, 99, 99).rows], [MOST, MOST]);
});

test("a grid that is filled gets the rows it needs", () => {
  const plan = filled(resized(arranged(ids(4)), 2, 1), ids(5));
  assert.deepEqual([plan.columns, plan.rows, plan.seats.size], [2, 3, 5]);
});

test("an aisle is made and taken away", () => {
  const plan = arranged(ids(24));
  assert.deepEqual(withAisle(plan, 1).aisles, [1, 3]);
  assert.deepEqual(withAisle(plan, 3).aisles, []);
});

test("the first empty place is found, and none in a full room", () => {
  const plan = arranged(ids(6));
  assert.equal(emptyPlace(plan), null);
  assert.deepEqual(emptyPlace(removed(plan, "w4")), at(1, 2));
});

test("places rank row by row, whatever the columns", () => {
  const plan = resized(arranged([]), MOST, 2);
  const last = rank(moved(plan, "a", at(MOST, 1)), "a");
  const next = rank(moved(plan, "a", at(1, 2)), "a");
  assert.ok(last < next);
  assert.equal(rank(plan, "a"), undefined);
});

test("the class sees the plan from the other side", () => {
  const plan = arranged(ids(24));
  assert.deepEqual(turned(plan, at(1, 1)), at(6, 4));
  assert.deepEqual(turned(plan, turned(plan, at(2, 3))), at(2, 3));
});

test("aisles are between columns; closed ones are shown where they can be opened", () => {
  const plan = { ...arranged(ids(4)), columns: 3, aisles: [1] };
  assert.deepEqual(tracks(plan, false, false).map((track) => track.column ?? "aisle"), [1, "aisle", 2, 3]);
  assert.deepEqual(tracks(plan, true, false).map((track) => track.column ?? "aisle"), [3, 2, "aisle", 1]);
  assert.deepEqual(tracks(plan, false, true).map((track) => track.isOpen), [undefined, true, undefined, false, undefined]);
});

test("an arrow leads one place on and ends at the edge", () => {
  const plan = arranged(ids(24));
  assert.deepEqual(stepped(plan, at(1, 1), "ArrowRight", false), at(2, 1));
  assert.deepEqual(stepped(plan, at(2, 2), "ArrowUp", false), at(2, 1));
  assert.equal(stepped(plan, at(1, 1), "ArrowLeft", false), null);
  assert.deepEqual(stepped(plan, at(1, 1), "ArrowLeft", true), at(2, 1)); // seen from the other side
  assert.equal(stepped(plan, at(1, 1), "x", false), undefined);
});

test("arrows lead over gaps to the nearest tile", () => {
  const place = (x, y) => ({ x, y });
  const places = [place(1, 1), place(4, 1), place(2, 3), place(5, 3)];
  assert.equal(beside(places, places[0], "ArrowRight"), places[1]);
  assert.equal(beside(places, places[1], "ArrowDown"), places[3]);
  assert.equal(beside(places, places[2], "ArrowUp"), places[0]);
  assert.equal(beside(places, places[0], "ArrowUp"), null);
  assert.equal(beside(places, places[0], "Home"), undefined);
});
