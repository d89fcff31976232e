import assert from "node:assert/strict";
import { test } from "node:test";
import { isNewEnough } from "./lib/find-go.js";

test("a Go that cannot build the Collector is not taken", () => {
  for (const version of ["go1.26", "go1.26.8\n", "go1.27rc1", "go2.0"]) assert.ok(isNewEnough(version), version);
  for (const version of ["", "go1.19.8", "go1.25.5", "devel +1234"]) assert.ok(!isNewEnough(version), version);
});
