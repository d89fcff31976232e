import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { parse } from "yaml";
import type { Pod } from "../enrich/pod-directory.js";
import { isPodSelected } from "../enrich/select-pod.js";
import { defaultLimits, maxLimits, readSessionSpec, SessionSpecError } from "./session-spec.js";

const pod: Pod = {
  namespace: "shop",
  name: "web-a",
  uid: "u",
  node: "n",
  labels: new Map([["app", "web"]]),
  annotations: new Map(),
  owners: [],
};
const isSelected = (spec: object, changes: Partial<Pod> = {}, namespace: string | undefined = "shop") =>
  isPodSelected(readSessionSpec(spec, namespace).selection, pod.uid, { ...pod, ...changes });

test("pods of the session's namespace, by name, labels and expressions", () => {
  assert.ok(isSelected({}));
  assert.ok(!isSelected({}, { namespace: "other" }));
  assert.ok(isSelected({ podNames: ["web-a"] }));
  assert.ok(!isSelected({ podNames: ["web-a"] }, { namespace: "other" }));
  assert.ok(!isSelected({ podNames: ["web-b"] }));
  assert.ok(!isSelected({ podNames: ["other/web-a"] }, { namespace: "other" }));
  assert.ok(isSelected({ podSelector: { matchLabels: { app: "web" } } }));
  assert.ok(!isSelected({ podSelector: { matchLabels: { app: "db" } } }));
  const by = (operator: string, key: string, values?: string[]) =>
    isSelected({ podSelector: { matchExpressions: [{ key, operator, ...(values ? { values } : {}) }] } });
  assert.deepEqual(
    [by("In", "app", ["web", "db"]), by("In", "tier", ["x"]), by("NotIn", "app", ["web"]), by("NotIn", "tier", ["x"])],
    [true, false, false, true],
  );
  assert.deepEqual([by("Exists", "app"), by("Exists", "tier")], [true, false]);
  assert.deepEqual([by("DoesNotExist", "app"), by("DoesNotExist", "tier")], [false, true]);
});

test("limits have defaults, and those of the CRD are the same", () => {
  const spec = readSessionSpec({}, "shop");
  assert.deepEqual(spec.limits, defaultLimits);
  const crd = parse(readFileSync("deploy/crds/packettraces.yaml", "utf8"));
  const { limits } = crd.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties;
  for (const [name, { default: value, maximum }] of Object.entries<{ default: number; maximum: number }>(
    limits.properties,
  )) {
    assert.equal(value, defaultLimits[name as keyof typeof defaultLimits]);
    assert.equal(maximum, maxLimits[name as keyof typeof maxLimits]);
  }
});

test("what is wrong is said with its place and its rule", () => {
  const wrong: [unknown, RegExp][] = [
    [7, /^spec must be an object$/],
    [{ filtr: "tcp" }, /^spec has no "filtr"$/],
    [{ filter: "" }, /^spec\.filter must be a text/],
    [{ filter: "tcp\0" }, /^spec\.filter must not contain a zero byte$/],
    [{ probes: "/x/" }, /^spec\.probes must be one of drops, core, all$/],
    [{ droppedOnly: "yes" }, /^spec\.droppedOnly must be true or false$/],
    [{ podNames: "web" }, /^spec\.podNames must be a list/],
    [{ podSelector: { matchLabels: { app: 1 } } }, /^spec\.podSelector\.matchLabels must have texts/],
    [{ podSelector: { matchExpressions: [{ key: "a", operator: "Like" }] } }, /must have an operator/],
    [{ limits: { journeys: 1.5 } }, /^spec\.limits\.journeys must be a whole number from 1 to 100000$/],
    [{ limits: { durationSeconds: 1e9 } }, /^spec\.limits\.durationSeconds must be/],
  ];
  for (const [spec, pattern] of wrong)
    assert.throws(
      () => readSessionSpec(spec, "shop"),
      (error) => error instanceof SessionSpecError && pattern.test(error.message),
    );
});

test("whatever comes, it is a spec of this namespace or a SessionSpecError", () => {
  fc.assert(
    fc.property(fc.anything({ maxDepth: 3 }), (value) => {
      try {
        assert.deepEqual(readSessionSpec(value, "shop").selection.namespaces, ["shop"]);
      } catch (error) {
        assert.ok(error instanceof SessionSpecError, String(error));
      }
    }),
  );
});
