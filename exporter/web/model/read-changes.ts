import type { SpanView } from "../../store/api-types.js";

/** How the packet was different at a hop from what it was before. */
export interface Change {
  readonly field: string;
  readonly before: string;
  readonly after: string;
}

/** Reads `skb.changed`: a list of "field: old -> new". */
export function readChanges(span: SpanView): Change[] {
  const value = span.attributes["skb.changed"];
  const lines = Array.isArray(value) ? value : typeof value === "string" ? [value] : [];
  return lines.flatMap((line) => {
    const match = /^([^:]+): (.*) -> (.*)$/.exec(String(line));
    return match ? [{ field: match[1] ?? "", before: match[2] ?? "", after: match[3] ?? "" }] : [];
  });
}

/** Namespace and interface are what the map itself shows. */
export function isRewrite(change: Change): boolean {
  return change.field !== "namespace" && change.field !== "interface";
}
