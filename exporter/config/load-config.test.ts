import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { exitCode } from "../lib/exit-code.js";
import { UserError } from "../lib/user-error.js";
import { type CommandName, findCommand } from "./commands.js";
import { type LoadedConfig, loadConfig } from "./load-config.js";
import { optionRows } from "./options.js";

const directory = mkdtempSync(join(tmpdir(), "skbspan-config-"));
after(() => rmSync(directory, { recursive: true }));

async function load(
  name: CommandName,
  argv: readonly string[],
  environment: Record<string, string> = {},
): Promise<LoadedConfig> {
  const command = findCommand(name);
  assert.ok(command);
  return await loadConfig(command, argv, environment);
}

async function mistakesOf(
  name: CommandName,
  argv: readonly string[],
  environment: Record<string, string> = {},
): Promise<string> {
  try {
    await load(name, argv, environment);
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.code, exitCode.usage);
    return error.message;
  }
  assert.fail("nothing was found wrong");
}

function file(text: string): string {
  const path = join(directory, "agent.yaml");
  writeFileSync(path, text);
  return path;
}

test("values come in their units, in every form of a flag", async () => {
  const { config } = await load("trace", [
    "--probes=/^tcp_/",
    "-n5",
    "--for",
    "1.5s",
    "--min-duration=100us",
    "--sample",
    "1/100",
    "--mark",
    "0x10/0xf0",
    "--dropped-only",
    "--ring-size",
    "16MiB",
    "tcp",
    "port",
    "80",
    "--export",
    "otlp,console",
    "and",
    "host",
    "::1",
  ]);
  assert.equal(config.probes, "/^tcp_/");
  assert.equal(config.maxJourneys, 5);
  assert.equal(config.durationMs, 1500);
  assert.equal(config.minDurationNs, 100_000);
  assert.equal(config.sampleOneIn, 100);
  assert.deepEqual(config.mark, { value: 0x10, mask: 0xf0 });
  assert.equal(config.isDroppedOnly, true);
  assert.equal(config.ringBytes, 16 * 1024 * 1024);
  assert.equal(config.filter, "tcp port 80 and host ::1");
  assert.deepEqual(config.exports, ["otlp", "console"]);
});

test("defaults depend on the command", async () => {
  assert.equal((await load("trace", [])).config.probes, "core");
  assert.equal((await load("drops", [])).config.probes, "drops");
  assert.equal((await load("drops", [])).config.isDroppedOnly, true);
  assert.deepEqual((await load("run", [])).config.exports, ["otlp"]);
  assert.deepEqual((await load("trace", [])).config.exports, ["console"]);
});

test("what follows -- is filter, and a file name is no filter", async () => {
  assert.equal((await load("trace", ["--", "-x", "--probes"])).config.filter, "-x --probes");
  const { config, operands } = await load("record", ["out.skbspan", "udp", "port", "53", "--force"]);
  assert.deepEqual(operands, ["out.skbspan"]);
  assert.equal(config.filter, "udp port 53");
  assert.equal(config.isForced, true);
  assert.deepEqual((await load("record", ["-"])).operands, ["-"]);
});

test("flags come before variables, variables before the file", async () => {
  const path = file("netns: from-file\ninterface: file0\nrate: 5\n");
  const { config } = await load("run", ["--config", path, "--netns", "from-flag"], {
    SKBSPAN_NETNS: "from-variable",
    SKBSPAN_INTERFACE: "var0",
    SKBSPAN_MARK: "",
  });
  assert.equal(config.netns, "from-flag");
  assert.equal(config.interface, "var0");
  assert.equal(config.ratePerSecond, 5);
  assert.equal((await load("run", [], { SKBSPAN_CONFIG: path })).config.netns, "from-file");
});

test("a profile is a choice of options that anything said overrides", async () => {
  const slow = await load("run", ["--profile", "drops-and-slow"]);
  assert.equal(slow.config.minDurationNs, 10_000_000);
  assert.equal(slow.config.areDropsKept, true);
  assert.equal(slow.config.maxJourneysPerSecond, 50, "what the profile does not say keeps the command's default");
  const path = file("profile: drops-and-slow\nmin_duration: 50ms\n");
  const slower = await load("run", ["--config", path]);
  assert.equal(slower.config.minDurationNs, 50_000_000);
  assert.equal(slower.config.areDropsKept, true);
  const everything = await load("run", ["--profile", "everything", "--sample", "1/2"], {
    SKBSPAN_MAX_SPANS_PER_SECOND: "7",
  });
  assert.equal(everything.config.sampleOneIn, 2);
  assert.equal(everything.config.maxJourneysPerSecond, 0);
  assert.equal(everything.config.maxSpansPerSecond, 7);
  assert.equal((await load("run", ["--profile", "sampled"])).config.sampleOneIn, 100);
});

test("a file's values mean what they mean on the command line", async () => {
  const path = file(`# an agent
filter: "tcp[tcpflags] & tcp-syn != 0"
mark: 0x10
sample: 1/10
dropped_only: true
export: [otlp, console]
min_duration: 5ms
listen: "[::1]:9464"
`);
  const { config } = await load("run", ["-c", path]);
  assert.equal(config.filter, "tcp[tcpflags] & tcp-syn != 0");
  assert.deepEqual(config.mark, { value: 16, mask: 0xffff_ffff });
  assert.equal(config.sampleOneIn, 10);
  assert.equal(config.isDroppedOnly, true);
  assert.deepEqual(config.exports, ["otlp", "console"]);
  assert.equal(config.minDurationNs, 5_000_000);
  assert.deepEqual(config.listen, { host: "::1", port: 9464 });
});

test("a file with three mistakes: all three, each with place, rule and value", async () => {
  const path = file("probse: core\nsample: 10%\nmin_duration: 5\n");
  assert.equal(
    await mistakesOf("run", ["--config", path]),
    [
      "3 mistakes:",
      `  ${path}:1:1: unknown key "probse": did you mean "probes"?`,
      `  ${path}:2:9: sample must be 1/N with N from 1 to 4294967295, such as 1/100, not "10%"`,
      `  ${path}:3:15: min_duration must be a time with its unit (ns, us, ms, s, m, h) such as 100us, 5ms or 10s, from 1ns to 1h, not "5"`,
    ].join("\n"),
  );
});

test("mistakes in all three sources are reported together", async () => {
  const path = file("slots: 1000\n");
  const message = await mistakesOf("run", ["--config", path, "--backend", "best", "--wat"], { SKBSPAN_RATE: "-1" });
  assert.match(message, /^4 mistakes:/);
  assert.match(message, /unknown option --wat/);
  assert.match(message, /--backend must be one of auto, .*, not "best"/);
  assert.match(message, /SKBSPAN_RATE: rate must be a whole number, from 1 to 4294967295, not "-1"/);
  assert.match(message, /agent\.yaml:1:8: slots must be a whole number, a power of two from 64 to 32768, not "1000"/);
});

test("a file that is not a mapping of plain values says where", async () => {
  assert.match(
    await mistakesOf("run", ["-c", file("- probes\n- core\n")]),
    /agent\.yaml:1:1: the file must be a mapping/,
  );
  assert.match(
    await mistakesOf("run", ["-c", file("probes: core\nprobes: all\n")]),
    /agent\.yaml:2:1: map keys must be unique/i,
  );
  assert.match(await mistakesOf("run", ["-c", file("netns:\n")]), /agent\.yaml:1:7: netns has no value/);
  assert.match(
    await mistakesOf("run", ["-c", file("netns: {a: b}\n")]),
    /agent\.yaml:1:8: netns must have one plain value/,
  );
  assert.match(await mistakesOf("run", ["-c", file("probes: [core\nx: ]: :\n")]), /agent\.yaml:\d+:\d+: /);
  assert.match(await mistakesOf("run", ["-c", file("force: true\n")]), /unknown key "force"/);
  assert.match(
    await mistakesOf("run", ["-c", file("journeys: 4\n")]),
    /journeys is an option of trace, drops, record, replay, not of run/,
  );
  assert.match(await mistakesOf("run", ["-c", join(directory, "none")]), /cannot be read: there is no such file/);
  assert.equal((await load("run", ["-c", file("")])).config.probes, "core");
});

test("wrong arguments say what is wrong", async () => {
  assert.equal(await mistakesOf("trace", ["--probse", "all"]), "unknown option --probse: did you mean --probes?");
  assert.equal(await mistakesOf("trace", ["--json"]), "--json is an option of functions, doctor, not of trace");
  assert.equal(await mistakesOf("trace", ["--netns"]), "--netns needs a value: NETNS, such as --netns pid:4711");
  assert.equal(
    await mistakesOf("trace", ["--netns", "--sample", "1/2"]),
    "--netns needs a value: NETNS, such as --netns pid:4711",
  );
  assert.equal(await mistakesOf("trace", ["--rate", "1", "--rate=2"]), "--rate is given twice");
  assert.equal(
    await mistakesOf("trace", ["--filter", "tcp", "udp"]),
    'the filter is given twice: with --filter, and as "udp"',
  );
  assert.match(await mistakesOf("record", []), /^FILE is missing/);
  assert.equal(await mistakesOf("doctor", ["now"]), 'the argument "now" is one too many');
  assert.match(await mistakesOf("trace", ["--from", "a", "tcp"]), /the filter cannot go with --from/);
  assert.match(await mistakesOf("trace", ["--export", "json,console"]), /cannot be exported together/);
  assert.match(await mistakesOf("trace", ["--mark", "0x1f/0xf"]), /must not have bits in VALUE/);
});

test("help is given whatever else is wrong", async () => {
  assert.equal((await load("record", ["--help", "--wat"])).config.isHelpWanted, true);
});

test("a variable that is nearly one of ours gives a warning; those of Kubernetes do not", async () => {
  const { warnings } = await load("trace", [], {
    SKBSPAN_PROBS: "all",
    SKBSPAN_PORT: "tcp://10.0.0.1:80",
    SKBSPAN_SERVICE_HOST: "10.0.0.1",
  });
  assert.deepEqual(warnings, ["the environment variable SKBSPAN_PROBS is not known: did you mean SKBSPAN_PROBES?"]);
});

test("whatever is written, the answer is a config or a UserError", async () => {
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom(
      ...optionRows.map(([, option]) => `--${option.flag}`),
      "--",
      "-n",
      "-",
      "1/0",
      "5ms",
      "0x/",
      "=",
      "[::]:1",
    ),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom<CommandName>("trace", "record", "functions"),
      fc.array(word, { maxLength: 6 }),
      async (name, argv) => {
        try {
          await load(
            name,
            argv.filter((argument) => !argument.includes("config") && !argument.startsWith("-c")),
          );
        } catch (error) {
          assert.ok(error instanceof UserError, String(error));
        }
      },
    ),
    { numRuns: 2000 },
  );
  await fc.assert(
    fc.asyncProperty(fc.string({ maxLength: 200 }), async (text) => {
      try {
        await load("run", ["-c", file(text)]);
      } catch (error) {
        assert.ok(error instanceof UserError, String(error));
      }
    }),
  );
});

test("packets of sampled requests alone cannot be had where no request is looked for", async () => {
  assert.match(await mistakesOf("trace", ["--sampled-only", "--join", "off"]), /sampled-only cannot go with join off/);
  const { config } = await load("trace", ["--sampled-only", "--join", "link", "--join-sources", "http1,helper"]);
  assert.deepEqual([config.isSampledOnly, config.join, config.joinSources], [true, "link", ["http1", "helper"]]);
});
