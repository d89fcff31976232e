import { type Command, commands, findCommand } from "../config/commands.js";
import { loadConfig } from "../config/load-config.js";
import { renderCommandHelp, renderOverview } from "../config/render-help.js";
import { scope } from "../export/scope.js";
import { type ExitCode, exitCode } from "../lib/exit-code.js";
import { nearestName } from "../lib/nearest-name.js";
import { UserError } from "../lib/user-error.js";
import { checkFilter } from "../tracer/check-filter.js";
import type { RunCommand } from "./command-context.js";
import { createReporter } from "./create-reporter.js";
import { describeFailure } from "./describe-failure.js";
import { watchStandardOutput } from "./watch-standard-output.js";

/** Imported when needed: `skbspan --help` is not to wait for gRPC. */
const loaders: Readonly<Record<Command["name"], () => Promise<RunCommand>>> = {
  trace: async () => (await import("./trace-command.js")).traceCommand,
  drops: async () => (await import("./trace-command.js")).traceCommand,
  run: async () => (await import("./run-command.js")).runCommand,
  record: async () => (await import("./record-command.js")).recordCommand,
  replay: async () => (await import("./replay-command.js")).replayCommand,
  functions: async () => (await import("./functions-command.js")).functionsCommand,
  doctor: async () => (await import("./doctor-command.js")).doctorCommand,
  demo: async () => (await import("./demo-command.js")).demoCommand,
  page: async () => (await import("./page-command.js")).pageCommand,
};

/**
 * The command line. Resolves to the exit code when all output has left the process; never rejects, and says on standard
 * error what went wrong.
 */
export async function main(argv: readonly string[]): Promise<ExitCode> {
  process.on("uncaughtException", (error) => {
    process.exit(reportFailure(error));
  });
  const code = await run(argv);
  await Promise.all([written(process.stdout), written(process.stderr)]);
  return code;
}

async function run(argv: readonly string[]): Promise<ExitCode> {
  try {
    await dispatch(argv);
    return exitCode.ok;
  } catch (error) {
    return reportFailure(error);
  }
}

/** Resolves when all that was written before is out, or cannot be any more. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed) resolve();
    else stream.write("", () => resolve());
  });
}

async function dispatch(argv: readonly string[]): Promise<void> {
  const [name = "--help", ...rest] = argv;
  const standardOutput = watchStandardOutput(process.stdout);
  if (name === "--help" || name === "-h" || name === "help") return write(helpFor(rest[0]));
  if (name === "--version" || name === "-V") return write(`${scope.version}\n`);
  const command = requireCommand(name);
  const loaded = await loadConfig(command, rest, process.env, checkFilter);
  if (loaded.config.isHelpWanted) return write(renderCommandHelp(command));
  const reporter = createReporter(process.stderr);
  for (const warning of loaded.warnings) reporter.warn(warning);
  const runCommand = await loaders[command.name]();
  await runCommand({ ...loaded, environment: process.env, standardOutput, reporter });
  if (standardOutput.failure) throw standardOutput.failure;
}

function helpFor(name: string | undefined): string {
  return name === undefined || name.startsWith("-")
    ? renderOverview(scope.version)
    : renderCommandHelp(requireCommand(name));
}

function requireCommand(name: string): Command {
  const command = findCommand(name);
  if (command) return command;
  const nearest = nearestName(
    name,
    commands.map((known) => known.name),
  );
  const what = name.startsWith("-") ? "unknown option" : "unknown command";
  throw new UserError(exitCode.usage, `${what} ${JSON.stringify(name)}${nearest ? `: did you mean ${nearest}?` : ""}`, {
    hint: "`skbspan --help` lists the commands; options stand after the command.",
  });
}

function write(text: string): void {
  process.stdout.write(text);
}

function reportFailure(error: unknown): ExitCode {
  const { code, text } = describeFailure(error, process.env["SKBSPAN_DEBUG"] !== undefined);
  process.stderr.write(text);
  return code;
}
