import assert from "node:assert/strict";
import { test } from "node:test";

import { allowLetters, isForPage, isLetterForPage, lettersAllowed } from "../../../eop/static/keys.js";

globalThis.document = { body: { dataset: {} } };

/** A press of a key on something; `within`: whether that takes the keys itself. */
function press(key, { within = false, ...options } = {}) {
  return { key, target: { closest: () => (within ? {} : null) }, ...options };
}

test("letters are shortcuts until they are switched off, and other keys always", () => {
  assert.ok(lettersAllowed());
  assert.ok(isLetterForPage(press("v")));
  allowLetters(false);
  assert.ok(!lettersAllowed());
  for (const key of ["v", "?", "/", "1"]) {
    assert.ok(!isLetterForPage(press(key)));
  }
  assert.ok(isForPage(press("ArrowLeft")));
  allowLetters(true);
  assert.ok(isLetterForPage(press("?")));
});

test("a key that another holds with it, or that was taken already, is not the page's", () => {
  for (const other of ["ctrlKey", "altKey", "metaKey", "defaultPrevented"]) {
    assert.ok(!isForPage(press("v", { [other]: true })));
  }
  assert.ok(!isForPage(press("v", { within: true })));
  assert.ok(isForPage({ key: "v", target: globalThis.document }));
});

test("keys with a name are no letters", () => {
  assert.ok(!isLetterForPage(press("Enter")));
  assert.ok(!isLetterForPage(press("ArrowLeft")));
});
