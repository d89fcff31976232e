/** One condition of a label selector, as Kubernetes has them; all of them have to hold. */
export interface LabelCondition {
  readonly key: string;
  /** Whether it holds with these labels' value; undefined: the label is not there. */
  holds(value: string | undefined): boolean;
}

export type LabelSelector = readonly LabelCondition[];

const KEY = "[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,315}[A-Za-z0-9])?";
const VALUE = "[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?|";
const equality = new RegExp(`^(${KEY})\\s*(==|=|!=)\\s*(${VALUE})$`);
const set = new RegExp(`^(${KEY})\\s+(in|notin)\\s*\\(([^()]*)\\)$`);
const presence = new RegExp(`^(!?)\\s*(${KEY})$`);
const value = new RegExp(`^(?:${VALUE})$`);

/** A selector as for `kubectl -l`: `app=web,tier!=db,env in (test,live),!draft`. Undefined: it is none. */
export function parseLabelSelector(text: string): LabelSelector | undefined {
  const conditions = splitConditions(text).map(parseCondition);
  return conditions.every((condition) => condition !== undefined) ? conditions : undefined;
}

export function labelsMatch(selector: LabelSelector, labels: ReadonlyMap<string, string>): boolean {
  return selector.every(({ key, holds }) => holds(labels.get(key)));
}

/** At the commas that stand in no parentheses. */
function splitConditions(text: string): string[] {
  return text.split(/,(?![^(]*\))/).map((condition) => condition.trim());
}

function parseCondition(text: string): LabelCondition | undefined {
  const [, key, operator, wanted] = equality.exec(text) ?? [];
  // As in Kubernetes, what is not there is unequal to everything.
  if (key !== undefined)
    return { key, holds: operator === "!=" ? (label) => label !== wanted : (label) => label === wanted };
  const [, setKey, membership, list = ""] = set.exec(text) ?? [];
  if (setKey !== undefined) {
    const values = new Set(list.split(",").map((item) => item.trim()));
    if (![...values].every((item) => value.test(item))) return undefined;
    return {
      key: setKey,
      holds:
        membership === "in"
          ? (label) => label !== undefined && values.has(label)
          : (label) => label === undefined || !values.has(label),
    };
  }
  const [, absent, presentKey] = presence.exec(text) ?? [];
  if (presentKey === undefined) return undefined;
  return { key: presentKey, holds: absent === "!" ? (label) => label === undefined : (label) => label !== undefined };
}
