import { BUSYBOX_IMAGE } from "../lib/start-cluster.js";

export const SHOP = "shop";
/** Where the web server listens, and where the firewall of the node lets nothing through. */
export const WEB_PORT = 8080;
export const BLOCKED_PORT = 8081;

export const ASK_WEB_FOR_EVER =
  "trap 'exit 0' TERM; while :; do wget -q -O /dev/null http://$WEB_SERVICE_HOST/; sleep 0.5 & wait; done";

/** A server, a Service before it, and a client that asks it twice a second by its address in the environment. */
export function describeShop(): object[] {
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: SHOP } },
    deployment("web", "mkdir -p /tmp/www; echo hello > /tmp/www/index.html; exec httpd -f -p 8080 -h /tmp/www"),
    service(),
    deployment("client", ASK_WEB_FOR_EVER),
  ];
}

export function deployment(name: string, script: string): object {
  const labels = { app: name };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: SHOP, labels },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: podSpec(script) },
    },
  };
}

/** A pod that asks the web server once and then waits. */
export function describeVisitor(name: string, path: string): object {
  const script = `wget -q -O /dev/null http://$WEB_SERVICE_HOST/${path}; trap 'exit 0' TERM; sleep 600 & wait`;
  return { apiVersion: "v1", kind: "Pod", metadata: { name, namespace: SHOP }, spec: podSpec(script) };
}

function podSpec(script: string): object {
  return {
    terminationGracePeriodSeconds: 0,
    automountServiceAccountToken: false,
    containers: [{ name: "main", image: BUSYBOX_IMAGE, imagePullPolicy: "Never", command: ["sh", "-c", script] }],
  };
}

function service(): object {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web", namespace: SHOP },
    spec: { selector: { app: "web" }, ports: [{ port: 80, targetPort: WEB_PORT }] },
  };
}
