import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

/**
 * The filter is C; build/tests/filter-test (bpf/filter/filter_test.c) compares its programs, in this machine's kernel,
 * with libpcap's interpreter. Here it is run, and what it says of wrong expressions is read.
 */
const binary = fileURLToPath(new URL("../../../build/tests/filter-test", import.meta.url));
const exitInvalidFilter = 5;

interface Result {
  readonly seed: number;
  readonly expressions: number;
  readonly programs: number;
  readonly comparisons: number;
  readonly matched: number;
  readonly differences: number;
}

function run(...options: string[]) {
  assert.ok(existsSync(binary), `${binary} is not built: run \`make -C bpf tests\``);
  return spawnSync(binary, options, { encoding: "utf8", timeout: 120_000 });
}

/** Asserts that the expression is refused, with a first line that starts so, and returns the column of the caret. */
function caretOfError(expression: string, firstLine: string): number {
  const { status, stdout } = run("--explain", expression);
  assert.equal(status, exitInvalidFilter, `${JSON.stringify(expression)} was not refused: ${stdout}`);
  const [message = "", , caret = ""] = stdout.split("\n");
  assert.equal(message, firstLine);
  return caret.indexOf("^") - 1; // lines of the excerpt are indented by two, columns count from one
}

describe("filter translation", () => {
  const rootOnly = process.getuid?.() === 0 ? false : "loading BPF programs needs root: run the tests as root";

  it("answers as libpcap's interpreter does, for random expressions and classic programs", { skip: rootOnly }, () => {
    const { status, stdout, stderr } = run("--count", "4000", "--packets", "100");
    assert.equal(status, 0, `${stdout}${stderr}`);
    const result = JSON.parse(stdout) as Result;
    assert.equal(result.expressions, 4000);
    assert.equal(result.programs, 4000);
    assert.equal(result.comparisons, 800_000);
    assert.ok(result.matched > 80_000, `too few filters matched to prove anything: ${stdout}`);
    assert.ok(result.matched < 400_000, `too many filters matched to prove anything: ${stdout}`);
    assert.equal(result.differences, 0);
  });
});

describe("filter errors", () => {
  const cases: [expression: string, firstLine: string, column: number][] = [
    ["tcp port 80 andd host 1.1.1.1", 'syntax error (libpcap), at column 13 ("andd")', 13],
    ["tcp and (udp", "syntax error (libpcap), at column 13 (the end)", 13],
    ["tcp ) udp", 'syntax error (libpcap), at column 5 (")")', 5],
    ["and", 'syntax error (libpcap), at column 1 ("and")', 1],
    ["port 99999 and tcp", 'illegal port number 99999 > 65535 (libpcap), at column 6 ("99999")', 6],
    ["ip proto foo and tcp", "unknown ip proto 'foo' (libpcap), at column 10 (\"foo\")", 10],
    ["net 10.1.2.3/8 or tcp", 'non-network bits set in "10.1.2.3/8" (libpcap), at column 5 ("10.1.2.3")', 5],
    ["vlan 5000", 'VLAN tag 5000 greater than maximum 4095 (libpcap), at column 6 ("5000")', 6],
    ["tcp\tport x80-", "unknown port 'x80' (libpcap), at column 10 (\"x80\")", 10],
    ["tcp\u0007", 'a control character (0x07) is not allowed, at column 4 ("?")', 4],
  ];
  for (const [expression, problem, column] of cases) {
    it(`points at column ${column} of ${JSON.stringify(expression)}`, () => {
      const shown = expression.replace("\t", " ").replace("\u0007", "?");
      assert.equal(caretOfError(expression, `invalid filter: "${shown}": ${problem}`), column);
    });
  }

  it("counts columns in characters", () => {
    const problem = 'only ASCII is allowed, this character is not (first byte 0xe2), at column 10 ("?")';
    assert.equal(caretOfError("tcp port “80”", `invalid filter: "tcp port ?80?": ${problem}`), 10);
  });

  it("gives no position to what is wrong as a whole", () => {
    const { status, stdout } = run("--explain", "tcp and udp");
    assert.equal(status, exitInvalidFilter);
    assert.equal(stdout, 'invalid filter: "tcp and udp": expression rejects all packets (libpcap)\n');
  });

  it("refuses what a program in the kernel cannot do", () => {
    assert.match(run("--explain", "ip6 protochain 6").stdout, /protochain needs a loop/);
    assert.match(run("--explain", "inbound and tcp").stdout, /not in the packet.*--interface/);
  });

  it("refuses what is too long", () => {
    const list = (count: number, term: (i: number) => string) =>
      Array.from({ length: count }, (_, i) => term(i)).join(" or ");
    const host = (i: number) => `host 10.${i >> 8}.${i & 255}.1`;
    const tooManyBytes = run("--explain", list(400, host));
    assert.equal(tooManyBytes.status, exitInvalidFilter);
    assert.match(tooManyBytes.stdout, /: \d+ bytes long, at most 4096 are allowed/);
    const tooManyInsns = run(
      "--explain",
      list(300, (i) => `tcp[${i}]=1`),
    );
    assert.equal(tooManyInsns.status, exitInvalidFilter);
    assert.match(tooManyInsns.stdout, /: too long: \d+ instructions, at most 4000 fit/);
    assert.equal(run("--explain", list(200, host)).status, 0);
  });

  it("shows the part of a long expression that is wrong", () => {
    const expression = `${"host 10.0.0.1 or ".repeat(100)}prot 5`;
    const { status, stdout } = run("--explain", expression);
    assert.equal(status, exitInvalidFilter);
    const [message = "", excerpt = "", caret = ""] = stdout.split("\n");
    assert.match(message, /at column 1701 \("prot"\)$/);
    assert.equal(excerpt.slice(caret.indexOf("^")), "prot 5");
  });
});
