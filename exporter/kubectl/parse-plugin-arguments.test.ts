import assert from "node:assert/strict";
import { test } from "node:test";
import { isPodSelected } from "../enrich/select-pod.js";
import { UserError } from "../lib/user-error.js";
import { readSessionSpec } from "../session/session-spec.js";
import { parsePluginArguments } from "./parse-plugin-arguments.js";

test("what is written becomes the spec of a PacketTrace", () => {
  const argv = ["-n", "shop", "-l", "app=web,tier!=db", "--pod", "a", "--pod", "b", "--node", "n1", "--duration", "5m"];
  const parsed = parsePluginArguments([
    ...argv,
    "--journeys",
    "7",
    "--dropped-only",
    "--context=prod",
    "tcp",
    "port",
    "80",
  ]);
  assert.deepEqual(parsed?.spec, {
    podSelector: {
      matchExpressions: [
        { key: "app", operator: "In", values: ["web"] },
        { key: "tier", operator: "NotIn", values: ["db"] },
      ],
    },
    podNames: ["a", "b"],
    nodeNames: ["n1"],
    filter: "tcp port 80",
    droppedOnly: true,
    limits: { durationSeconds: 300, journeys: 7 },
  });
  assert.deepEqual(parsed?.kubectlArguments, ["--context=prod"]);
  assert.equal(parsePluginArguments(["--help"]), undefined);
});

test("every form of a selector means to an agent what it means to kubectl", () => {
  const labels = new Map([["app", "web"]]);
  const pod = { namespace: "shop", name: "a", uid: "u", node: "n", labels, annotations: new Map(), owners: [] };
  const selects = (selector: string) =>
    isPodSelected(readSessionSpec(parsePluginArguments(["-l", selector])?.spec, "shop").selection, "u", pod);
  const right = [
    "app=web",
    "app==web",
    "app in (db, web)",
    "app",
    "!tier",
    "tier!=x",
    "tier notin (x)",
    "app=web,!tier",
  ];
  for (const selector of right) assert.ok(selects(selector), selector);
  for (const selector of ["app=db", "app!=web", "app notin (web)", "tier", "!app", "app=web,tier"])
    assert.ok(!selects(selector), selector);
});

test("mistakes are told", () => {
  for (const argv of [["-l", "a=(b"], ["--duration", "5"], ["--journeys", "x"], ["--agent", "n1"], ["--nonsense"]])
    assert.throws(() => parsePluginArguments(argv), UserError, argv.join(" "));
});
