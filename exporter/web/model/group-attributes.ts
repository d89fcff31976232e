import type { Attributes, AttributeValue } from "../../store/api-types.js";

export interface AttributeGroup {
  readonly title: string;
  readonly entries: readonly (readonly [key: string, value: AttributeValue])[];
}

const GROUPS: readonly (readonly [title: string, prefixes: RegExp])[] = [
  ["Drop", /^(skb\.drop\.|error\.)/],
  ["Function", /^(hop\.|code\.|cpu\.)/],
  ["Journey", /^journey\./],
  ["Packet", /^(skb\.|source\.|destination\.|tcp\.|ip\.|icmp\.|arp\.|network\.(type|transport))/],
  ["Place", /^(network\.interface|netns\.|process\.|thread\.)/],
];

export const STACK_ATTRIBUTE = "code.stacktrace";

/** What a person looks for first, first; what was changed, the advice and the stack have places of their own on the page. */
export function groupAttributes(attributes: Attributes): AttributeGroup[] {
  const groups = new Map<string, [string, AttributeValue][]>(GROUPS.map(([title]) => [title, []]));
  groups.set("Other", []);
  for (const entry of Object.entries(attributes)) {
    if (entry[0] === "skb.changed" || entry[0] === "skb.drop.advice" || entry[0] === STACK_ATTRIBUTE) continue;
    const title = GROUPS.find(([, pattern]) => pattern.test(entry[0]))?.[0] ?? "Other";
    groups.get(title)?.push(entry);
  }
  return [...groups].filter(([, entries]) => entries.length > 0).map(([title, entries]) => ({ title, entries }));
}

export function formatValue(value: AttributeValue): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.map((item: AttributeValue) => formatValue(item)).join("\n");
  return JSON.stringify(value);
}
