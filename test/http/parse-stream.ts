import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The test program of the parser, which is C (bpf/http/parser.h). */
const httpTestProgram = fileURLToPath(new URL("../../../build/tests/http-test", import.meta.url));

/** The head of a message, or its end, as the parser tells it. */
export interface ParsedEvent {
  readonly kind: "head" | "end" | "lost";
  readonly offset: number;
  /** HTTP/2. */
  readonly stream: number | undefined;
  /** HTTP/1: of a response. */
  readonly status: number | undefined;
  /** "trace id-span id-flags" of a head that has one. */
  readonly trace: string | undefined;
}

export function runHttpTest(options: readonly string[], input?: Buffer): string {
  assert.ok(existsSync(httpTestProgram), `${httpTestProgram} is not built: run \`make -C bpf tests\``);
  const { status, stdout, stderr } = spawnSync(httpTestProgram, options, {
    encoding: "utf8",
    timeout: 300_000,
    maxBuffer: 1 << 28,
    ...(input === undefined ? {} : { input }),
  });
  assert.equal(status, 0, `${stdout}${stderr}`);
  return stdout;
}

/** What the parser finds in one direction of a connection. `answersHead`: of responses, which of them answer HEAD. */
export function parseStream(
  bytes: Buffer,
  isHttp2: boolean,
  answersHead: readonly boolean[] = [],
): readonly ParsedEvent[] {
  const heads = answersHead.map((isHead) => (isHead ? "1" : "0")).join("");
  const lines = runHttpTest(["--heads", heads, "--events"], bytes).split("\n").filter(Boolean);
  return lines.flatMap((line) => {
    const { offset, events } = JSON.parse(line) as { offset: number; events: string };
    return [...events.matchAll(/H\((?:(\d+) |HEAD |CONNECT )?([-0-9a-f]+)\)|E(?:\((\d+)\))?|(L)/g)].map(
      ([text, number, trace, ended]): ParsedEvent => ({
        kind: text.startsWith("H") ? "head" : text.startsWith("E") ? "end" : "lost",
        offset,
        stream: isHttp2 ? toNumber(number ?? ended) : undefined,
        status: isHttp2 ? undefined : toNumber(number),
        trace: trace === "-" ? undefined : trace,
      }),
    );
  });
}

function toNumber(digits: string | undefined): number | undefined {
  return digits === undefined ? undefined : Number(digits);
}
