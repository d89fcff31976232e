import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { renderValuesSchema } from "./render-values-schema.js";

const file = fileURLToPath(new URL("../../../deploy/chart/skbspan/values.schema.json", import.meta.url));

test("the schema of the chart's values knows the agent's options", () => {
  const current = readFileSync(file, "utf8");
  const parsed = JSON.parse(current);
  const rendered = JSON.parse(renderValuesSchema(current));
  assert.deepEqual(parsed, rendered, "values.schema.json is old: run `npm run generate` and commit the result");
  const { properties } = rendered.properties.options;
  assert.ok("filter" in properties && "max_journeys_per_second" in properties);
  assert.ok(!("listen" in properties) && !("config" in properties));
});
