import assert from "node:assert/strict";
import { test } from "node:test";

import { fileName } from "../../../eop/static/file-name.js";

test("a picture's file is named by workstation and time, whatever the name holds", () => {
  const at = new Date(2026, 10, 21, 9, 5, 7).getTime();
  assert.equal(fileName("pc-01", at, "jpg"), "pc-01_2026-11-21_09-05-07.jpg");
  assert.equal(fileName("../Élan 7/é", at, "png"), "-Élan-7-é_2026-11-21_09-05-07.png");
});
