import assert from "node:assert/strict";
import { test } from "node:test";

import { Backoff, LONGEST_MS } from "../../../eop/static/backoff.js";
import { DaemonClock, ageSeconds, freshness } from "../../../eop/static/freshness.js";
import { fill } from "../../../eop/static/words.js";
import { fittingColumns, fold, matches, sorted } from "../../../eop/static/wall-order.js";

test("waits double up to ten seconds", () => {
  const backoff = new Backoff(() => 1);
  assert.deepEqual(Array.from({ length: 7 }, () => backoff.next()), [500, 1000, 2000, 4000, 8000, 10000, 10000]);
  backoff.reset();
  assert.equal(backoff.next(), 500);
});

test("waits are spread over half their span and never longer than it", () => {
  for (const random of [0, 0.3, 0.999]) {
    const backoff = new Backoff(() => random);
    for (let tries = 0; tries < 2000; tries += 1) {
      const wait = backoff.next();
      assert.ok(wait >= 250 && wait <= LONGEST_MS);
    }
  }
});

test("a picture is live below five seconds, stale below thirty, then gone", () => {
  assert.deepEqual([0, 3, 4, 5, 29, 30, 999].map(freshness),
    ["live", "live", "live", "stale", "stale", "gone", "gone"]);
});

test("an age counts whole seconds and is never negative", () => {
  assert.equal(ageSeconds(10_999, 5000), 5);
  assert.equal(ageSeconds(5000, 9000), 0);
});

test("the daemon's clock is the event that was least late", () => {
  let local = 1000;
  const clock = new DaemonClock(() => local);
  assert.equal(clock.now(), null);
  clock.learn(500_000);
  local = 3000;
  clock.learn(501_500); // half a second late
  assert.equal(clock.now(), 502_000);
  local = 4000;
  clock.learn(503_200); // less late than the first
  assert.equal(clock.now(), 503_200);
});

test("a clock that was set back is believed, and a new link starts anew", () => {
  const clock = new DaemonClock(() => 0);
  clock.learn(1_000_000);
  clock.learn(900_000);
  assert.equal(clock.now(), 900_000);
  clock.forget();
  assert.equal(clock.now(), null);
});

const tile = (number, name, title, state = "ready", attention = false) => ({ number, name, title, state, attention, user: null, room: "S12" });

test("places sort by number and names by letter, É with E", () => {
  const tiles = [tile(1, "pc-10", "Éva"), tile(2, "pc-2", "Zoé"), tile(3, "pc-1", "Elio")];
  const order = (by) => sorted(tiles, by, "fr").map(({ number }) => number);
  assert.deepEqual(order("place"), [3, 2, 1]);
  assert.deepEqual(order("name"), [3, 1, 2]);
  assert.deepEqual(order("nonsense"), [3, 2, 1]);
});

test("a seat in the room's plan goes before numbers, and who has none comes after", () => {
  const tiles = [{ ...tile(1, "pc-01", "a"), seat: 22 }, tile(2, "pc-02", "b"), { ...tile(3, "pc-03", "c"), seat: 21 }, tile(4, "pc-00", "d")];
  assert.deepEqual(sorted(tiles, "place", "en").map(({ number }) => number), [3, 1, 4, 2]);
});

test("what is not well comes first by state and by attention", () => {
  const tiles = [tile(1, "a", "a"), tile(2, "b", "b", "offline", true), tile(3, "c", "c", "wrong_password", true)];
  assert.deepEqual(sorted(tiles, "state", "en").map(({ number }) => number), [3, 2, 1]);
  assert.deepEqual(sorted(tiles, "attention", "en").map(({ number }) => number), [2, 3, 1]);
});

test("a search ignores accents and case and takes every word", () => {
  assert.equal(fold("  ÉVA "), "eva");
  assert.equal(fold("Łukasz"), "lukasz");
  const one = tile(1, "pc-01", "Zoé Martin");
  assert.ok(matches(one, "all", "zoe PC"));
  assert.ok(matches(one, "all", ""));
  assert.ok(!matches(one, "all", "zoe pc-02"));
  assert.ok(!matches(one, "attention", ""));
});

test("tiles are as large as all of them fit", () => {
  const space = { width: 1200, height: 700, gap: 10, foot: 44, least: 184 };
  assert.equal(fittingColumns(1, { ...space, height: 800 }), 1);
  assert.equal(fittingColumns(2, space), 2);
  assert.equal(fittingColumns(4, space), 3);
  assert.equal(fittingColumns(1000, space), 6); // never below the least width
  assert.equal(fittingColumns(0, space), 1);
  assert.equal(fittingColumns(5, { ...space, width: 50 }), 1);
});

test("only the places that have a value are filled", () => {
  assert.equal(fill("{n} of {all}, {other}", { n: 0, all: "{n}" }), "0 of {n}, {other}");
});

test("numbers are written as the page's language writes them, names as they are", () => {
  assert.equal(fill("{n}, port {port}", { n: 12345, port: "8788" }), "12,345, port 8788");
});

test("names come in the order of the page's language", () => {
  const tiles = ["Zoé", "Éva", "Eve", "Łucja", "Lucyna", "Luty"].map((title, number) => ({
    title, number, name: `pc-${number}`, state: "ready",
  }));
  const order = (language) => sorted(tiles, "name", language).map((tile) => tile.title);
  assert.deepEqual(order("fr"), ["Éva", "Eve", "Łucja", "Lucyna", "Luty", "Zoé"]);
  assert.deepEqual(order("pl"), ["Éva", "Eve", "Lucyna", "Luty", "Łucja", "Zoé"]);
});
