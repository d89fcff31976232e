import { fileURLToPath } from "node:url";
import { demoNetwork } from "./build-demo-network.js";
import type { DemoClientSettings } from "./demo-client-settings.js";
import type { Lab } from "./lab/create-lab.js";
import type { LabProcess } from "./lab/start-process.js";

const READY_TIMEOUT_MS = 60_000;
/** An emulated guest cannot export the packets of a request a second: `npm run demo -- --guest` asks for fewer. */
const PERIOD_VARIABLE = "SKBSPAN_DEMO_PERIOD_MS";
const PERIOD_MS = 1_000;

/** Takes what an application of the demo exports: a request in OTLP/JSON. */
export type TakeSpans = (otlpJson: string) => void;

export async function startDemoServer(lab: Lab, takeSpans: TakeSpans): Promise<LabProcess> {
  const { web, webPort } = demoNetwork;
  return startApplication(lab, takeSpans, web, "demo-web-server.js", [web, String(webPort)]);
}

/** A request a second to the service, and now and then packets that have to be dropped. */
export async function startDemoClient(lab: Lab, takeSpans: TakeSpans): Promise<LabProcess> {
  const { client, serviceAddress, servicePort, webAddress, blockedPort, closedUdpPort } = demoNetwork;
  const periodMs = Number(process.env[PERIOD_VARIABLE]) || PERIOD_MS;
  const settings: DemoClientSettings = {
    service: client,
    serviceAddress,
    servicePort,
    webAddress,
    blockedPort,
    closedUdpPort,
    periodMs,
  };
  return startApplication(lab, takeSpans, client, "demo-client.js", [JSON.stringify(settings)]);
}

/** As any traced application, with the helper for connections that never open. */
async function startApplication(
  lab: Lab,
  takeSpans: TakeSpans,
  namespace: string,
  script: string,
  args: readonly string[],
): Promise<LabProcess> {
  const argv = [process.execPath, "--import", pathOf("../register/register.cjs"), pathOf(script), ...args];
  return lab.start(namespace, argv, {
    ready: /^ready$/,
    readyTimeoutMs: READY_TIMEOUT_MS,
    onLine: (line) => line.startsWith("{") && takeSpans(line),
  });
}

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}
