/** A label selector as the API has it. */
export interface ApiSelector {
  readonly matchExpressions: readonly {
    readonly key: string;
    readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
    readonly values?: readonly string[];
  }[];
}

type Expression = ApiSelector["matchExpressions"][number];

const forms: readonly [RegExp, (key: string, values: readonly string[]) => Expression][] = [
  [/^([^\s=!(),]+)\s*==?\s*([^\s=!(),]*)$/, (key, values) => ({ key, operator: "In", values })],
  [/^([^\s=!(),]+)\s*!=\s*([^\s=!(),]*)$/, (key, values) => ({ key, operator: "NotIn", values })],
  [/^([^\s=!(),]+)\s+in\s*\(([^()]*)\)$/, (key, values) => ({ key, operator: "In", values })],
  [/^([^\s=!(),]+)\s+notin\s*\(([^()]*)\)$/, (key, values) => ({ key, operator: "NotIn", values })],
  [/^!\s*([^\s=!(),]+)$/, (key) => ({ key, operator: "DoesNotExist" })],
  [/^([^\s=!(),]+)$/, (key) => ({ key, operator: "Exists" })],
];

/** From `kubectl -l` to the API: `app=web,tier!=db,env in (test,live),!draft`. Undefined: it is no selector. */
export function parseSelector(text: string): ApiSelector | undefined {
  const matchExpressions: Expression[] = [];
  for (const condition of text.split(/,(?![^(]*\))/).map((part) => part.trim())) {
    const expression = readExpression(condition);
    if (!expression) return undefined;
    matchExpressions.push(expression);
  }
  return { matchExpressions };
}

function readExpression(condition: string): Expression | undefined {
  for (const [form, make] of forms) {
    const match = form.exec(condition);
    if (match)
      return make(
        match[1] ?? "",
        (match[2] ?? "").split(",").map((value) => value.trim()),
      );
  }
  return undefined;
}
