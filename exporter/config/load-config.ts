import { readFileSync } from "node:fs";
import { describeSystemError } from "../lib/describe-system-error.js";
import { exitCode } from "../lib/exit-code.js";
import { UserError } from "../lib/user-error.js";
import type { Command } from "./commands.js";
import { describeMistakes, type Mistake, quote, type Setting } from "./mistake.js";
import type { Option } from "./option.js";
import { type Config, type OptionKey, optionRows } from "./options.js";
import { parseArguments } from "./parse-arguments.js";
import { profiles } from "./profiles.js";
import { type Environment, readEnvironment, warnOfEnvironment } from "./read-environment.js";

export interface LoadedConfig {
  readonly config: Config;
  readonly operands: readonly string[];
  /** For the user; nothing is wrong enough to stop. */
  readonly warnings: readonly string[];
}

/** What is wrong with a filter expression, if anything is. */
export type CheckFilter = (filter: string) => Promise<string | undefined>;

const MAX_CONFIGURATION_BYTES = 1024 * 1024;

/**
 * What the user wants: flags, else SKBSPAN_* variables, else the configuration file, else defaults. All mistakes of all
 * sources are reported together. Rejects with UserError (usage).
 */
export async function loadConfig(
  command: Command,
  argv: readonly string[],
  environment: Environment,
  checkFilter?: CheckFilter,
): Promise<LoadedConfig> {
  const flags = parseArguments(command, argv);
  const mistakes: Mistake[] = [...flags.mistakes];
  if (flags.settings.has("isHelpWanted"))
    return { config: { ...defaultsOf(command), isHelpWanted: true }, operands: [], warnings: [] };
  const variables = readEnvironment(command.name, environment);
  const file = (flags.settings.get("configurationFile") ?? variables.get("configurationFile"))?.text;
  const configuration = file === undefined ? undefined : await readConfigurationFile(command, file, mistakes);
  // In this order, so that mistakes are in the order of what the user looks at first.
  const sources = [flags.settings, variables, configuration ?? new Map<OptionKey, Setting>()];
  const config = checkAll(command, sources, mistakes);
  checkTogether(command, config, flags.settings, mistakes);
  if (mistakes.length > 0) {
    const place = filterPlace(sources);
    // Alone, a wrong filter is told by the tracer that is to use it, with an exit code of its own. On the command line, what is taken
    // for a filter may be the value of an unknown flag.
    const problem = place === "" || config.filter === undefined ? undefined : await checkFilter?.(config.filter);
    if (problem !== undefined) mistakes.push({ place, message: problem });
    throw new UserError(exitCode.usage, describeMistakes(mistakes), {
      hint: `\`skbspan ${command.name} --help\` explains the options.`,
    });
  }
  return { config, operands: flags.operands, warnings: warnOfEnvironment(environment) };
}

function filterPlace(sources: readonly ReadonlyMap<OptionKey, Setting>[]): string {
  return sources.map((source) => source.get("filter")?.place).find((place) => place !== undefined) ?? "";
}

function defaultsOf(command: Command): Config {
  const entries = optionRows.map(([key, option]) => {
    const own = option.defaultFor?.[command.name];
    return [key, own === undefined ? option.default : own];
  });
  return Object.fromEntries(entries) as Config;
}

/** Checks every setting, also one that a stronger source overrides: it is as wrong there. */
function checkAll(command: Command, sources: readonly ReadonlyMap<OptionKey, Setting>[], mistakes: Mistake[]): Config {
  const config: Record<string, unknown> = { ...defaultsOf(command) };
  const rowByKey = new Map<OptionKey, Option<unknown>>(optionRows);
  const decided = new Set<OptionKey>();
  for (const source of sources)
    for (const [key, setting] of source) {
      const parsed = rowByKey.get(key)?.type.parse(setting.text);
      if (!parsed) continue;
      if ("rule" in parsed)
        mistakes.push({ place: setting.place, message: `${setting.name} ${parsed.rule}, not ${quote(setting.text)}` });
      else if (!decided.has(key)) config[key] = parsed.value;
      decided.add(key);
    }
  return withProfile(command, config as Config, decided);
}

/** A profile is weaker than what was said, and stronger than defaults. */
function withProfile(command: Command, config: Config, decided: ReadonlySet<OptionKey>): Config {
  if (config.profile === undefined) return config;
  const keys = new Map<string, Option<unknown>>(optionRows);
  const settings = Object.entries(profiles[config.profile]).filter(
    ([key]) => !decided.has(key as OptionKey) && keys.get(key)?.commands.includes(command.name),
  );
  return { ...config, ...Object.fromEntries(settings) };
}

function checkTogether(
  command: Command,
  config: Config,
  flags: ReadonlyMap<OptionKey, Setting>,
  mistakes: Mistake[],
): void {
  if (config.exports.includes("json") && config.exports.includes("console"))
    mistakes.push({
      place: "",
      message: "json and console cannot be exported together: both write to standard output",
    });
  if ((config.listenCertificateFile === undefined) !== (config.listenKeyFile === undefined))
    mistakes.push({ place: "", message: "listen-certificate and listen-key go together: give both or neither" });
  if (config.isSampledOnly && config.join === "off")
    mistakes.push({
      place: "",
      message: "sampled-only cannot go with join off: no request is looked for then, so no packet is of a sampled one",
    });
  if (config.recording === undefined) return;
  // Only flags are wrong here: a configuration file or the environment may well be shared with a live run.
  for (const [key, option] of optionRows)
    if (option.isForKernel && flags.has(key))
      mistakes.push({
        place: "",
        message: `${flags.get(key)?.name} cannot go with --from: the kernel decided it when ${command.name === "functions" ? "the functions were attached" : "the packets were recorded"}`,
      });
}

async function readConfigurationFile(
  command: Command,
  path: string,
  mistakes: Mistake[],
): Promise<ReadonlyMap<OptionKey, Setting> | undefined> {
  // Imported when needed: the YAML parser takes as long to load as all the rest of the command line.
  const { readConfiguration } = await import("./read-configuration.js");
  try {
    const bytes = readFileSync(path);
    if (bytes.length > MAX_CONFIGURATION_BYTES) {
      mistakes.push({
        place: path,
        message: `the file has ${bytes.length} bytes, a configuration at most ${MAX_CONFIGURATION_BYTES}`,
      });
      return undefined;
    }
    const configuration = readConfiguration(command.name, path, bytes.toString("utf8"));
    mistakes.push(...configuration.mistakes);
    return configuration.settings;
  } catch (error) {
    mistakes.push({ place: path, message: `the configuration file cannot be read: ${describeSystemError(error)}` });
    return undefined;
  }
}
