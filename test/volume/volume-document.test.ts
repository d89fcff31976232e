import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { renderVolumeTables } from "./render-volume-tables.js";

const path = fileURLToPath(new URL("../../../docs/volume.md", import.meta.url));

/** A table stands between `<!-- measured: NAME -->` and `<!-- end -->`. */
test("the figures of docs/volume.md are those of the recordings: UPDATE_GOLDENS=1 writes them anew", async () => {
  const before = readFileSync(path, "utf8");
  const tables = await renderVolumeTables();
  const seen: string[] = [];
  const after = before.replaceAll(/(<!-- measured: (\w+) -->\n\n).*?(\n\n<!-- end -->)/gs, (_, head, name, tail) => {
    seen.push(name);
    return `${head}${tables.get(name) ?? "there is no such table"}${tail}`;
  });
  assert.deepEqual(seen.toSorted(), [...tables.keys()].toSorted());
  if (process.env["UPDATE_GOLDENS"]) writeFileSync(path, after);
  else assert.equal(before, after);
});
