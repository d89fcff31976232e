import { fileURLToPath } from "node:url";
import { demoNetwork } from "./build-demo-network.js";
import type { DemoClientSettings } from "./demo-client-settings.js";
import type { Lab } from "./lab/create-lab.js";
import type { LabProcess } from "./lab/start-process.js";

const READY_TIMEOUT_MS = 60_000;
/** An emulated guest cannot export the packets of a request a second: `npm run demo -- --guest` asks for fewer. */
const PERIOD_VARIABLE = "SKBSPAN_DEMO_PERIOD_MS";
const PERIOD_MS = 1_000;

export async function startDemoServer(lab: Lab): Promise<LabProcess> {
  return lab.start(demoNetwork.web, [process.execPath, scriptPath("demo-web-server.js"), String(demoNetwork.webPort)], {
    ready: /^ready$/,
    readyTimeoutMs: READY_TIMEOUT_MS,
  });
}

/** A request a second to the service, and now and then packets that have to be dropped. */
export async function startDemoClient(lab: Lab): Promise<LabProcess> {
  const { serviceAddress, servicePort, webAddress, blockedPort, closedUdpPort } = demoNetwork;
  const periodMs = Number(process.env[PERIOD_VARIABLE]) || PERIOD_MS;
  const settings: DemoClientSettings = {
    serviceAddress,
    servicePort,
    webAddress,
    blockedPort,
    closedUdpPort,
    periodMs,
  };
  return lab.start(demoNetwork.client, [process.execPath, scriptPath("demo-client.js"), JSON.stringify(settings)], {
    ready: /^ready$/,
    readyTimeoutMs: READY_TIMEOUT_MS,
  });
}

function scriptPath(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
