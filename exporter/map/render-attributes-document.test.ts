import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { renderAttributesDocument } from "./render-attributes-document.js";

test("docs/attributes.md is what the table gives", () => {
  assert.equal(
    readFileSync(new URL("../../../docs/attributes.md", import.meta.url), "utf8"),
    renderAttributesDocument(),
    "docs/attributes.md differs from exporter/map/attributes.ts: run `npm run generate` and commit the result",
  );
});
