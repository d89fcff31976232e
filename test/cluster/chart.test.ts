import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";
import { findCommand } from "../../exporter/config/commands.js";
import { loadConfig } from "../../exporter/config/load-config.js";
import { inTemporaryFolder } from "../backends/lib/program-cache.js";
import { runProgram } from "../kernels/run-program.js";
import { installHelm } from "./lib/install-helm.js";

const deploy = fileURLToPath(new URL("../../../deploy", import.meta.url));
const chart = join(deploy, "chart/skbspan");
const endpoint = ["--set", "otlp.endpoint=http://collector:4317"];
let helm = "";

before(async () => {
  helm = await installHelm();
});

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels: Record<string, string> };
  // biome-ignore lint/suspicious/noExplicitAny: what a manifest holds depends on its kind
  readonly [field: string]: any;
}

/** Settings as for `helm --set`. */
async function render(...settings: readonly string[]): Promise<Map<string, Manifest>> {
  const args = ["template", "skbspan", chart, "--namespace", "skbspan", ...settings.flatMap((each) => ["--set", each])];
  const text = await runProgram(helm, args);
  const manifests = parseAllDocuments(text).map((document) => document.toJS() as Manifest);
  return new Map(manifests.filter(Boolean).map((manifest) => [manifest.kind, manifest]));
}

async function renderPod(...settings: readonly string[]) {
  const pod = (await render("otlp.endpoint=http://collector:4317", ...settings)).get("DaemonSet")?.["spec"].template
    .spec;
  return { pod, container: pod.containers[0] };
}

test("the chart passes Helm's own checks", async () => {
  await runProgram(helm, ["lint", "--strict", chart, ...endpoint]);
});

test("the plain manifests are the chart's", async () => {
  const values = ["--values", join(deploy, "manifests/values.yaml")];
  const text = await runProgram(helm, ["template", "skbspan", chart, "--namespace", "skbspan", ...values]);
  const file = join(deploy, "manifests/skbspan.yaml");
  if (process.env["UPDATE_MANIFESTS"]) await writeFile(file, text);
  const hint = "deploy/manifests/skbspan.yaml is old: UPDATE_MANIFESTS=1 npm run test:cluster -- chart writes it";
  assert.ok((await readFile(file, "utf8")) === text, hint);
});

test("by default a pod has two capabilities and nothing of its host", async () => {
  const { pod, container } = await renderPod();
  assert.deepEqual(container.securityContext, {
    runAsUser: 0,
    runAsGroup: 0,
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"], add: ["BPF", "PERFMON"] },
    seccompProfile: { type: "RuntimeDefault" },
  });
  assert.deepEqual([pod.hostPID, pod.hostNetwork, pod.hostIPC], [false, false, undefined]);
  assert.deepEqual(
    pod.volumes.flatMap((volume: object) => Object.keys(volume).filter((key) => key !== "name")),
    ["configMap"],
  );
  for (const mount of container.volumeMounts) assert.equal(mount.readOnly, true, mount.name);
});

test("each privilege adds what it says and no more", async () => {
  const { pod: plain, container: plainContainer } = await renderPod();
  const added = async (privilege: string) => {
    const { pod, container } = await renderPod(`privileges.${privilege}=true`);
    const fields = Object.keys({ ...pod, ...plain }).filter(
      (key) => key !== "containers" && JSON.stringify(pod[key]) !== JSON.stringify(plain[key]),
    );
    const ofContainer = Object.keys({ ...container, ...plainContainer }).filter(
      (key) => JSON.stringify(container[key]) !== JSON.stringify(plainContainer[key]),
    );
    return { fields, ofContainer, pod, container };
  };
  const syslog = await added("syslog");
  assert.deepEqual([syslog.fields, syslog.ofContainer], [[], ["securityContext"]]);
  assert.deepEqual(syslog.container.securityContext.capabilities.add, ["BPF", "PERFMON", "SYSLOG"]);
  const sysAdmin = await added("sysAdmin");
  assert.deepEqual(sysAdmin.container.securityContext.capabilities.add, ["BPF", "PERFMON", "SYS_ADMIN"]);
  const tracefs = await added("tracefs");
  assert.deepEqual([tracefs.fields, tracefs.ofContainer], [["volumes"], ["volumeMounts"]]);
  assert.deepEqual(tracefs.container.volumeMounts.at(-1), {
    name: "tracefs",
    mountPath: "/sys/kernel/tracing",
    readOnly: true,
  });
  assert.deepEqual((await added("hostNetwork")).fields.sort(), ["dnsPolicy", "hostNetwork"]);
  const seccomp = await added("seccompUnconfined");
  assert.deepEqual(seccomp.container.securityContext.seccompProfile, { type: "Unconfined" });
});

test("the API is asked for pods alone, for Services when they are wanted, and not at all when that is off", async () => {
  const rules = async (...settings: string[]) =>
    (await render("otlp.endpoint=http://collector:4317", ...settings)).get("ClusterRole")?.["rules"];
  assert.deepEqual(await rules(), [{ apiGroups: [""], resources: ["pods"], verbs: ["list", "watch"] }]);
  assert.equal(await rules("kubernetes.enabled=false"), undefined);
  const resources = (await rules("kubernetes.farEnds=services")).flatMap(
    (rule: { resources: string[] }) => rule.resources,
  );
  assert.deepEqual(resources, ["pods", "services", "endpointslices"]);
  const { pod } = await renderPod("kubernetes.enabled=false");
  assert.equal(pod.automountServiceAccountToken, false);
});

test("what cannot work is refused, with the reason", async () => {
  const refusals: readonly [readonly string[], RegExp][] = [
    [[], /otlp\.endpoint has to be given/],
    [["otlp.endpoint=collector"], /otlp\/endpoint/],
    [["otlp.endpoint=http://c:1", "otlp.protocol=http/json"], /protocol/],
    [["otlp.endpoint=http://c:1", "privileged=true"], /privileged/],
    [["otlp.endpoint=http://c:1", "options.filtr=tcp"], /filtr/],
    [["otlp.endpoint=http://c:1", "podMonitor.enabled=true"], /podMonitor\.enabled needs server\.tlsSecret/],
    [["otlp.endpoint=http://c:1", "server.tokenSecret.name=t"], /a token is taken over TLS only/],
    [["otlp.endpoint=http://c:1", "server.port=80"], /port/],
  ];
  for (const [settings, reason] of refusals) await assert.rejects(render(...settings), reason, settings.join(" "));
});

test("the configuration that is mounted is one that the agent takes", async () => {
  const manifests = await render(
    ...["otlp.endpoint=http://c:1", "options.filter=tcp port 80", "options.dropped_only=true", "options.sample=1/10"],
    ...["server.tlsSecret=tls", "server.tokenSecret.name=token", "options.max_journeys_per_second=20"],
  );
  const text: string = manifests.get("ConfigMap")?.["data"]["skbspan.yaml"];
  const command = findCommand("run");
  assert.ok(command);
  await inTemporaryFolder(async (folder) => {
    const file = join(folder, "skbspan.yaml");
    await writeFile(file, text);
    const { config, warnings } = await loadConfig(command, ["--config", file], {});
    assert.deepEqual(warnings, []);
    assert.deepEqual(
      [config.filter, config.isDroppedOnly, config.sampleOneIn, config.maxJourneysPerSecond, config.listen],
      ["tcp port 80", true, 10, 20, { host: "0.0.0.0", port: 9464 }],
    );
    assert.match(config.listenKeyFile ?? "", /^\/etc\/skbspan\/tls\/tls\.key$/);
    assert.match(config.listenTokenFile ?? "", /^\/etc\/skbspan\/token\/token$/);
  });
});
