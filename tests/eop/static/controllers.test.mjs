import assert from "node:assert/strict";
import { test } from "node:test";

import { controlledBy, namesOf } from "../../../eop/static/controllers.js";

globalThis.document = { getElementById: () => null }; // no words: the English ones
const CAMILLE = { login: "camille", name: "Camille Lefèvre" };
const ROUX = { login: "roux", name: "M. Roux" };

test("a tile says who controls, and oneself first", () => {
  assert.equal(controlledBy([CAMILLE], "roux"), "Controlled by Camille Lefèvre");
  assert.equal(controlledBy([CAMILLE], "camille"), "Controlled by you");
  assert.equal(controlledBy([CAMILLE, ROUX], "roux"), "Controlled by you, Camille Lefèvre");
  assert.equal(controlledBy([], "roux"), "Controlled by a teacher");
});

test("who looks at a screen is not one of the others there", () => {
  assert.deepEqual(namesOf([CAMILLE, ROUX], "roux"), ["Camille Lefèvre"]);
  assert.deepEqual(namesOf([ROUX], "roux"), []);
});
