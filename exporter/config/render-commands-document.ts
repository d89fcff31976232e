import { exitCodeMeanings } from "../lib/exit-code.js";
import { type Command, commands } from "./commands.js";
import { renderUsage } from "./render-help.js";

/** docs/cli.md; a test says when the file is not what this gives. */
export function renderCommandsDocument(): string {
  return [
    "# The command line",
    "",
    "<!-- Generated from exporter/config/commands.ts by `npm run generate`. Do not edit. -->",
    "",
    "`npx skbspan COMMAND` in the repository. The options of all commands are in [options.md](options.md); `skbspan COMMAND --help`",
    "explains those of one.",
    "",
    ...commands.flatMap(renderCommand),
    ...CONDUCT,
    "## Exit codes",
    "",
    "The tracer, `build/skbspan-tracer`, uses the same.",
    "",
    "| code | meaning |",
    "| --- | --- |",
    ...Object.entries(exitCodeMeanings).map(([code, meaning]) => `| ${code} | ${meaning} |`),
    "",
  ].join("\n");
}

function renderCommand(command: Command): string[] {
  const { name, summary, description, operands, examples } = command;
  return [
    `## ${name}`,
    "",
    `\`${renderUsage(command)}\``,
    "",
    `${summary}. ${description}`,
    "",
    ...operands.map((operand) => `- \`${operand.name}\`: ${operand.help}`),
    ...(operands.length > 0 ? [""] : []),
    "```sh",
    ...examples,
    "```",
    "",
  ];
}

const CONDUCT = [
  "## What goes where, and how it ends",
  "",
  "- Standard output has journeys (or a recording, or a table) and nothing else; with `--export json` each line is an OTLP/JSON",
  "  export request. Everything for a person goes to standard error.",
  "- While nothing matches, a count of the packets that did not is shown: in place on a terminal, else a line every few seconds.",
  "- At the end three things are told. *Seen*: journeys begun, and looks at packets that did not match (a packet may be looked at",
  "  several times). *Kept*: journeys that reached their destination, and how they ended. *Lost*: by cause, with what to do about",
  "  it; nothing is lost without being counted.",
  "- The first Ctrl-C (or SIGTERM, SIGHUP) ends cleanly: probes are detached, journeys under way are sent as expired, a collector",
  "  has `--flush-timeout` to take the rest. The second ends at once.",
  "- A reader that has had enough (`skbspan trace | head`) ends the command without an error.",
  "- A collector that is away is told once with its address, not for every batch, and once more when it is back. When nothing at",
  "  all arrived there, the exit code is 1.",
  "- Variables for finding faults: `SKBSPAN_DEBUG=1` adds where an error happened, `SKBSPAN_TRACER_DEBUG=1` shows the kernel's",
  "  log of loading, `SKBSPAN_TRACER` is the path of another tracer.",
  "",
];
