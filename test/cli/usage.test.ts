import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { commandNames } from "../../exporter/config/commands.js";
import { runSkbspan } from "../lib/run-skbspan.js";

const directory = mkdtempSync(join(tmpdir(), "skbspan-usage-"));
after(() => rmSync(directory, { recursive: true }));

test("help and version go to standard output", async () => {
  for (const argv of [[], ["--help"], ["help"]]) {
    const { code, stdout, stderr } = await runSkbspan(argv);
    assert.equal(code, 0);
    assert.match(stdout, /Usage: skbspan COMMAND/);
    assert.equal(stderr, "");
  }
  const results = await Promise.all(commandNames.map((name) => runSkbspan([name, "--help"])));
  results.forEach(({ code, stdout }, index) => {
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`^Usage: skbspan ${commandNames[index]} `));
    assert.match(stdout, /^Exit codes:$/m);
  });
  assert.match((await runSkbspan(["--version"])).stdout, /^\d+\.\d+\.\d+\n$/);
});

test("an unknown command or flag: exit 2, what was meant, where help is", async () => {
  assert.deepEqual(await runSkbspan(["trcae"]), {
    code: 2,
    stdout: "",
    stderr:
      'skbspan: error: unknown command "trcae": did you mean trace?\n`skbspan --help` lists the commands; options stand after the command.\n',
  });
  assert.deepEqual(await runSkbspan(["trace", "--probse", "all"]), {
    code: 2,
    stdout: "",
    stderr:
      "skbspan: error: unknown option --probse: did you mean --probes?\n`skbspan trace --help` explains the options.\n",
  });
});

test("a configuration with three mistakes: exit 2 and all three, with line and column", async () => {
  const path = join(directory, "agent.yaml");
  writeFileSync(path, "# three mistakes\nprobse: core\nsample: 10%\nlisten: 9464\n");
  const { code, stdout, stderr } = await runSkbspan(["run", "--config", path]);
  assert.equal(code, 2);
  assert.equal(stdout, "");
  assert.deepEqual(stderr.split("\n"), [
    "skbspan: error: 3 mistakes:",
    `  ${path}:2:1: unknown key "probse": did you mean "probes"?`,
    `  ${path}:3:9: sample must be 1/N with N from 1 to 4294967295, such as 1/100, not "10%"`,
    `  ${path}:4:9: listen must be HOST:PORT, such as 127.0.0.1:9464 or [::1]:9464, the port at most 65535, not "9464"`,
    "`skbspan run --help` explains the options.",
    "",
  ]);
});

test("a wrong filter stands among the other mistakes", async () => {
  const path = join(directory, "filter.yaml");
  writeFileSync(path, 'sample: 10%\nfilter: "tcp prot 80"\n');
  const { code, stderr } = await runSkbspan(["run", "--config", path]);
  assert.equal(code, 2);
  assert.match(stderr, /2 mistakes:\n.*filter\.yaml:1:9: sample must be/);
  assert.match(stderr, /filter\.yaml:2:9: invalid filter: "tcp prot 80": syntax error .*column 5/);
});

test("a wrong variable is named; one that is nearly ours is warned of", async () => {
  const { code, stderr } = await runSkbspan(["trace"], { environment: { SKBSPAN_SLOTS: "77", SKBSPAN_NETSN: "x" } });
  assert.equal(code, 2);
  assert.match(stderr, /SKBSPAN_SLOTS: slots must be a whole number, a power of two from 64 to 32768, not "77"/);
});

test("a tracer that is not there: what to do", async () => {
  const { code, stderr } = await runSkbspan(["trace"], { environment: { SKBSPAN_TRACER: join(directory, "none") } });
  assert.equal(code, 1);
  assert.match(stderr, /^skbspan: error: The tracer is not there: no .*none\.\nSKBSPAN_TRACER has to be the path/);
});

test("doctor answers even without a tracer", async () => {
  const environment = { SKBSPAN_TRACER: join(directory, "none") };
  const { code, stdout } = await runSkbspan(["doctor", "--json"], { environment });
  assert.equal(code, 0);
  const checks = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    checks.map(({ check, answer }) => [check, answer]),
    [
      ["node", "yes"],
      ["tracer", "no"],
    ],
  );
  assert.match((await runSkbspan(["doctor"], { environment })).stdout, /^no +The tracer is built and runs$/m);
});
