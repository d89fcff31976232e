import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runHttpTest } from "./parse-stream.js";

/** The parser is C (bpf/http/parser.h); build/tests/http-test runs it over fixed and mutated streams, here and in the kernel. */

interface Result {
  readonly cases: number;
  readonly mutants: number;
  readonly traces: number;
  readonly lost: number;
  readonly verifiedInsns: number;
  readonly differences: number;
}

function run(...options: string[]): Result {
  return JSON.parse(runHttpTest(options)) as Result;
}

describe("HTTP parser", () => {
  const rootOnly = process.getuid?.() === 0 ? false : "loading BPF programs needs root: run the tests as root";

  it("finds in fixed streams what is in them, in whatever pieces they come, and survives mutated ones", () => {
    const result = run("--count", "50000");
    assert.ok(result.cases > 100, `${result.cases} cases`);
    assert.equal(result.mutants, 50_000);
    assert.ok(result.traces > 10_000 && result.lost > 10_000, "too few traces or losses to prove anything");
    assert.equal(result.differences, 0);
  });

  it("does the same in this machine's kernel, and is verified with room to spare", { skip: rootOnly }, () => {
    const result = run("--kernel", "--count", "3000");
    assert.equal(result.differences, 0);
    assert.ok(result.verifiedInsns < 100_000, `${result.verifiedInsns} instructions verified`);
  });
});
