import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import test from "node:test";

import { Sha256 } from "../../../eop/static/sha256.js";

test("every length around the borders of blocks, in pieces of any size", () => {
  for (const length of [0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 1000, 100_003]) {
    const bytes = randomBytes(length);
    const expected = createHash("sha256").update(bytes).digest("hex");
    for (const piece of [1, 37, 64, 1 << 20]) {
      const hash = new Sha256();
      for (let at = 0; at < length; at += piece) {
        hash.update(bytes.subarray(at, at + piece));
      }
      assert.equal(hash.hex(), expected, `${length} in pieces of ${piece}`);
    }
  }
});
