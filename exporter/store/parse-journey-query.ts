import { ANY_JOURNEY, type JourneyFilter, type JourneyOrder } from "./select-journeys.js";

/** A query that cannot be answered; `message` names the parameter, what it may be and what it was. */
export class QueryError extends Error {
  override readonly name = "QueryError";
}

export interface JourneyQuery {
  readonly filter: JourneyFilter;
  readonly order: JourneyOrder;
  readonly limit: number;
}

const ORDERS: readonly JourneyOrder[] = ["newest", "worst", "slowest"];
const MAX_PORT = 65_535;
const MAX_LIMIT = 5_000;
const DEFAULT_LIMIT = 500;

/** Parameters of /api/journeys and /api/paths; unknown ones are ignored. Throws QueryError. */
export function parseJourneyQuery(query: unknown): JourneyQuery {
  const text = (key: string): string => readText(query, key);
  const order = text("sort") || "newest";
  if (!isOrder(order)) throw new QueryError(`sort must be one of ${ORDERS.join(", ")}; it is "${order}"`);
  return {
    filter: {
      ...ANY_JOURNEY,
      end: text("end"),
      address: text("address"),
      port: readCount(query, "port", MAX_PORT, 0),
      namespace: text("namespace"),
      function: text("function"),
      minDurationNs: readCount(query, "minDurationNs", Number.MAX_SAFE_INTEGER, 0),
      text: text("text"),
      pathId: text("path"),
    },
    order,
    limit: readCount(query, "limit", MAX_LIMIT, DEFAULT_LIMIT),
  };
}

function isOrder(text: string): text is JourneyOrder {
  return (ORDERS as readonly string[]).includes(text);
}

function readText(query: unknown, key: string): string {
  if (typeof query !== "object" || query === null) return "";
  const value = (query as Record<string, unknown>)[key];
  // A parameter that is given twice is a list; the last one counts.
  const last: unknown = Array.isArray(value) ? value.at(-1) : value;
  return typeof last === "string" ? last.trim() : "";
}

function readCount(query: unknown, key: string, most: number, otherwise: number): number {
  const text = readText(query, key);
  if (text === "") return otherwise;
  const number = Number(text);
  if (!/^\d+$/.test(text) || number > most) {
    throw new QueryError(`${key} must be a whole number from 0 to ${most}; it is "${text}"`);
  }
  return number;
}
