import { wantsColour } from "../export/create-console-sink.js";
import { UserError } from "../lib/user-error.js";
import { wrapText } from "../lib/wrap-text.js";
import { findTracer } from "../tracer/find-tracer.js";
import { queryTracer } from "../tracer/query-tracer.js";
import type { CommandContext, RunCommand } from "./command-context.js";

/** A line of `skbspan-tracer doctor`. */
interface Check {
  readonly check: string;
  readonly title: string;
  readonly answer: "yes" | "no" | "unknown";
  readonly reason: string;
  /** What to do about it; empty when nothing is to be done. */
  readonly mend: string;
}

const MIN_NODE = { major: 20, minor: 11 };
const colours = { yes: 32, no: 31, unknown: 33 } as const;
const WIDTH = 100;
const INDENT = 9;

/** `skbspan doctor`: answers, whatever is missing. */
export const doctorCommand: RunCommand = async ({ config, environment, standardOutput }) => {
  const checks = [checkNode(), ...(await checkTracer(environment))];
  const colour =
    config.colour === "auto" ? wantsColour(standardOutput.stream, environment) : config.colour === "always";
  const lines = config.isJson
    ? checks.map((check) => JSON.stringify(check))
    : checks.flatMap((check) => renderCheck(check, colour));
  standardOutput.stream.write(`${lines.join("\n")}\n`);
};

function checkNode(): Check {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const isNewEnough = major > MIN_NODE.major || (major === MIN_NODE.major && minor >= MIN_NODE.minor);
  const wanted = `${MIN_NODE.major}.${MIN_NODE.minor}`;
  return {
    check: "node",
    title: `Node.js ${wanted} or newer`,
    answer: isNewEnough ? "yes" : "no",
    reason: `this is ${process.versions.node}`,
    mend: isNewEnough ? "" : `Install Node.js ${wanted} or newer.`,
  };
}

async function checkTracer(environment: CommandContext["environment"]): Promise<Check[]> {
  const title = "The tracer is built and runs";
  try {
    const path = findTracer(environment);
    const { answers } = await queryTracer(path, ["doctor"]);
    return [{ check: "tracer", title, answer: "yes", reason: path, mend: "" }, ...(answers as readonly Check[])];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return [{ check: "tracer", title, answer: "no", reason: error.message, mend: error.hint }];
  }
}

function renderCheck({ title, answer, reason, mend }: Check, colour: boolean): string[] {
  const word = answer.padEnd(INDENT);
  const head = `${colour ? `\u001b[${colours[answer]}m${word}\u001b[0m` : word}${title}`;
  const details = [reason, mend === "" || answer === "yes" ? "" : `What to do: ${mend}`];
  return [head, ...details.flatMap((text) => wrapText(text, WIDTH - INDENT).map((line) => " ".repeat(INDENT) + line))];
}
