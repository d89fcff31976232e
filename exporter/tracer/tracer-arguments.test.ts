import assert from "node:assert/strict";
import { test } from "node:test";
import { type Config, optionRows } from "../config/options.js";
import { tracerArguments } from "./tracer-arguments.js";

const defaults = Object.fromEntries(optionRows.map(([key, option]) => [key, option.default])) as unknown as Config;

/** What is said besides what the defaults say. */
function more(config: Partial<Config>): string[] {
  const usual = tracerArguments(defaults);
  return tracerArguments({ ...defaults, ...config }).filter((word) => !usual.includes(word));
}

test("the tracer is told where to look for requests when it is to look elsewhere than by default", () => {
  assert.deepEqual(more({}), []);
  assert.deepEqual(more({ joinSources: ["http1", "tls"] }), ["--join-sources", "http1,tls"]);
  assert.deepEqual(more({ tlsLibraries: "/a,/b" }), ["--tls-libraries", "/a,/b"]);
  assert.deepEqual(more({ join: "off" }), ["--join-sources", "off"]);
  assert.deepEqual(more({ isSampledOnly: true, joinForMs: 5_000 }), ["--sampled-only", "--join-for-ms", "5000"]);
});
