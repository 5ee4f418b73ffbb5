import assert from "node:assert/strict";
import { test } from "node:test";

import { byOrder } from "../../../eop/static/passwords-selection.js";

const person = (first, last, login) => ({ first, last, login });
const CLASS = [person("Zoé", "Martin", "z2"), person("Éva", "Martin", "z10"), person("Adam", "Évrard", "a1")];

test("students stand by last name, first name or login, as readers look for them", () => {
  const order = (key) => [...CLASS].sort(byOrder(key, "fr")).map((one) => one.login);
  assert.deepEqual(order("last"), ["a1", "z10", "z2"]);
  assert.deepEqual(order("first"), ["a1", "z10", "z2"]);
  assert.deepEqual(order("login"), ["a1", "z2", "z10"]);
});
