import { canComeFrom, configurationKey } from "./option.js";
import { optionsOf } from "./options.js";

/** Those that deploy/chart/skbspan/templates decides, from values of its own. */
const chartsOwn = /^(listen.*|from|kubernetes|node_name|kubeconfig|far_ends)$/;

/**
 * The schema of the Helm chart's values with `options` as the agent has them. Only their names are checked there: what a
 * value may be, the agent itself says.
 */
export function renderValuesSchema(current: string): string {
  const schema = JSON.parse(current);
  const keys = optionsOf("run")
    .filter(([, option]) => canComeFrom(option, "file"))
    .map(([, option]) => configurationKey(option))
    .filter((key) => !chartsOwn.test(key));
  schema.properties.options.properties = Object.fromEntries(keys.map((key) => [key, { $ref: "#/$defs/optionValue" }]));
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}
