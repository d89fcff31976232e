import type { LabelCondition, LabelSelector } from "../enrich/parse-label-selector.js";
import type { PodSelection } from "../enrich/select-pod.js";

/** What a session traces, and what ends it. As in deploy/crds/packettraces.yaml, which checks what comes by the API server. */
export interface SessionSpec {
  readonly selection: PodSelection;
  /** Empty: on all nodes. */
  readonly nodeNames: readonly string[];
  readonly filter?: string;
  readonly probes: "drops" | "core" | "all";
  readonly isDroppedOnly: boolean;
  readonly limits: SessionLimits;
}

export interface SessionLimits {
  readonly durationSeconds: number;
  readonly journeys: number;
  readonly overheadPercent: number;
}

export const defaultLimits: SessionLimits = { durationSeconds: 60, journeys: 1_000, overheadPercent: 20 };
export const maxLimits: SessionLimits = { durationSeconds: 3_600, journeys: 100_000, overheadPercent: 100 };

const MAX_FILTER_CHARACTERS = 1_024;
const MAX_LIST = 256;
const operators = ["In", "NotIn", "Exists", "DoesNotExist"] as const;
const probeSets = ["drops", "core", "all"] as const;
const knownKeys = ["podSelector", "podNames", "nodeNames", "filter", "probes", "droppedOnly", "limits"];

/** A sentence about what is wrong, for who made the session. */
export class SessionSpecError extends Error {
  override readonly name = "SessionSpecError";
}

/**
 * Reads the `spec` of a PacketTrace, which selects pods of its `namespace` and no others; undefined: of any, and with no selection
 * everything. Throws SessionSpecError: nothing but the CRD has checked it, if that.
 */
export function readSessionSpec(value: unknown, namespace: string | undefined): SessionSpec {
  const spec = readRecord(value ?? {}, "spec");
  for (const key of Object.keys(spec)) if (!knownKeys.includes(key)) fail("spec", `has no ${JSON.stringify(key)}`);
  const { filter, probes = "core", droppedOnly = false } = spec;
  if (filter !== undefined && (typeof filter !== "string" || filter === "" || filter.length > MAX_FILTER_CHARACTERS))
    fail("spec.filter", `must be a text of at most ${MAX_FILTER_CHARACTERS} characters`);
  if (typeof filter === "string" && filter.includes("\0")) fail("spec.filter", "must not contain a zero byte");
  const probeSet =
    probeSets.find((name) => name === probes) ?? fail("spec.probes", `must be one of ${probeSets.join(", ")}`);
  if (typeof droppedOnly !== "boolean") fail("spec.droppedOnly", "must be true or false");
  return {
    selection: {
      pods: readTexts(spec["podNames"], "spec.podNames").map((name) =>
        namespace === undefined ? name : `${namespace}/${name}`,
      ),
      namespaces: namespace === undefined ? [] : [namespace],
      selector: readSelector(spec["podSelector"]),
      workloads: [],
    },
    nodeNames: readTexts(spec["nodeNames"], "spec.nodeNames"),
    ...(typeof filter === "string" ? { filter } : {}),
    probes: probeSet,
    isDroppedOnly: droppedOnly === true,
    limits: readLimits(spec["limits"]),
  };
}

function readSelector(value: unknown): LabelSelector {
  const { matchLabels, matchExpressions = [] } = readRecord(value ?? {}, "spec.podSelector");
  const conditions: LabelCondition[] = [];
  for (const [key, wanted] of Object.entries(readRecord(matchLabels ?? {}, "spec.podSelector.matchLabels"))) {
    if (typeof wanted !== "string") fail("spec.podSelector.matchLabels", "must have texts as values");
    else conditions.push({ key, holds: (label) => label === wanted });
  }
  if (!Array.isArray(matchExpressions)) fail("spec.podSelector.matchExpressions", "must be a list");
  for (const expression of matchExpressions as readonly unknown[]) {
    const where = "spec.podSelector.matchExpressions";
    const { key, operator, values } = readRecord(expression, where);
    const known =
      operators.find((name) => name === operator) ??
      fail(where, `must have an operator, one of ${operators.join(", ")}`);
    if (typeof key !== "string" || key === "") fail(where, "must have a key");
    else conditions.push(readCondition(key, known, readTexts(values, `${where}.values`)));
  }
  return conditions;
}

/** As in Kubernetes, what is not there is among no values. */
function readCondition(key: string, operator: (typeof operators)[number], values: readonly string[]): LabelCondition {
  const isAmong = (label: string | undefined): boolean => label !== undefined && values.includes(label);
  switch (operator) {
    case "Exists":
      return { key, holds: (label) => label !== undefined };
    case "DoesNotExist":
      return { key, holds: (label) => label === undefined };
    case "In":
      return { key, holds: isAmong };
    case "NotIn":
      return { key, holds: (label) => !isAmong(label) };
  }
}

function readLimits(value: unknown): SessionLimits {
  const limits = readRecord(value ?? {}, "spec.limits");
  const read = (name: keyof SessionLimits): number => {
    const limit = limits[name] ?? defaultLimits[name];
    if (typeof limit !== "number" || !Number.isInteger(limit) || limit < 1 || limit > maxLimits[name])
      return fail(`spec.limits.${name}`, `must be a whole number from 1 to ${maxLimits[name]}`);
    return limit;
  };
  return {
    durationSeconds: read("durationSeconds"),
    journeys: read("journeys"),
    overheadPercent: read("overheadPercent"),
  };
}

function readTexts(value: unknown, where: string): readonly string[] {
  if (value === undefined) return [];
  const isList = Array.isArray(value) && value.length <= MAX_LIST && value.every((item) => typeof item === "string");
  return isList ? (value as string[]) : fail(where, `must be a list of at most ${MAX_LIST} texts`);
}

function readRecord(value: unknown, where: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return fail(where, "must be an object");
  return value as Record<string, unknown>;
}

function fail(where: string, rule: string): never {
  throw new SessionSpecError(`${where} ${rule}`);
}
