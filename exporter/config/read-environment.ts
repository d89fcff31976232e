import { nearestName } from "../lib/nearest-name.js";
import type { CommandName } from "./commands.js";
import type { Setting } from "./mistake.js";
import { canComeFrom, environmentName } from "./option.js";
import { type OptionKey, optionRows, optionsOf } from "./options.js";

const PREFIX = "SKBSPAN_";

export type Environment = Readonly<Record<string, string | undefined>>;

/** The SKBSPAN_* variables that concern the command. Others are of other commands: the environment is shared. */
export function readEnvironment(command: CommandName, environment: Environment): Map<OptionKey, Setting> {
  const settings = new Map<OptionKey, Setting>();
  for (const [key, option] of optionsOf(command)) {
    const name = environmentName(option);
    const text = environment[name];
    // OpenTelemetry's rule for its own variables: empty means not set.
    if (text === undefined || text === "" || !canComeFrom(option, "environment")) continue;
    settings.set(key, { place: name, name: option.flag, text });
  }
  return settings;
}

/**
 * Warnings about variables that were probably meant for us. Only near misses: Kubernetes sets SKBSPAN_SERVICE_HOST,
 * SKBSPAN_PORT and so on in every pod beside a Service of the name `skbspan`.
 */
export function warnOfEnvironment(environment: Environment): string[] {
  const known = optionRows
    .filter(([, option]) => canComeFrom(option, "environment"))
    .map(([, option]) => environmentName(option).slice(PREFIX.length));
  return Object.keys(environment).flatMap((name) => {
    const rest = name.slice(PREFIX.length);
    if (!name.startsWith(PREFIX) || known.includes(rest)) return [];
    const nearest = nearestName(rest, known);
    return nearest ? [`the environment variable ${name} is not known: did you mean ${PREFIX}${nearest}?`] : [];
  });
}
