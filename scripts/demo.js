import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "./lib/build.js";
import { installPackages } from "./lib/install-packages.js";
import { demoNeeds, guestNeeds } from "./lib/packages.js";
import { asRoot, root, runForCode } from "./lib/run.js";
import { runScript, say } from "./lib/say.js";

const GUEST_KERNEL = "6.12";
/** Ten seconds, the default, are short for an emulated machine that has just started: it would send everything twice. */
const GUEST_EXPORT_TIMEOUT_MS = 120_000;
/** Between two requests there. */
const GUEST_PERIOD_MS = 8_000;
const DEFAULT_PORTS = { port: 4316, "otlp-grpc-port": 4317, "otlp-http-port": 4318 };

// npm run demo [-- --guest] [-- OPTIONS]: installs and builds what is missing, then `skbspan demo OPTIONS`
await runScript(async () => {
  const args = process.argv.slice(2);
  const isGuest = args.includes("--guest");
  await installPackages(isGuest ? [...demoNeeds, ...guestNeeds] : demoNeeds);
  await build();
  const options = args.filter((arg) => arg !== "--guest");
  if (isGuest) return runInGuest(options);
  return runForCode(...(await asRoot(process.execPath, [join(root, "bin/skbspan.js"), "demo", ...options])));
});

/** @param {readonly string[]} options */
async function runInGuest(options) {
  const ports = Object.entries(DEFAULT_PORTS).map(([name, port]) => readPort(options, name) ?? port);
  say(
    `starting a guest with Linux ${GUEST_KERNEL} (slow: it is emulated); its ports ${ports.join(", ")} are this machine's`,
  );
  const guest = await import("../dist/test/kernels/run-in-guest.js");
  const words = ["demo", ...options].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  const isInteractive = process.stdin.isTTY === true && process.stdout.isTTY === true;
  const interrupted = new AbortController();
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) process.on(signal, () => interrupted.abort());
  const { code, resultsDirectory } = await guest.runInGuest({
    kernel: GUEST_KERNEL,
    // The terminal mixes what a command says with what it prints.
    command: `${forwardToLoopback(ports)}\nexec node bin/skbspan.js ${words} ${isInteractive ? "" : '> "$SKBSPAN_RESULTS/stdout"'}`,
    environment: {
      OTEL_EXPORTER_OTLP_TIMEOUT: String(GUEST_EXPORT_TIMEOUT_MS),
      SKBSPAN_DEMO_PERIOD_MS: String(GUEST_PERIOD_MS),
    },
    timeoutMs: Number.POSITIVE_INFINITY,
    ports: ports.map((port) => ({ host: port, guest: port })),
    isInteractive,
    onOutput: (text) => process.stderr.write(text),
    onProgress: say,
    signal: interrupted.signal,
  });
  if (!isInteractive) process.stdout.write(await readFile(join(resultsDirectory, "stdout"), "utf8"));
  return code;
}

/**
 * The demo listens on the guest's loopback address: what comes in from outside is sent there.
 * @param {readonly number[]} ports
 */
function forwardToLoopback(ports) {
  const chain = "type nat hook prerouting priority dstnat;";
  return [
    "echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet",
    "nft add table ip guest",
    `nft 'add chain ip guest in { ${chain} }'`,
    `nft 'add rule ip guest in iifname eth0 tcp dport { ${ports.join(", ")} } dnat to 127.0.0.1'`,
  ].join("\n");
}

/**
 * @param {readonly string[]} options
 * @param {string} name
 */
function readPort(options, name) {
  const at = options.findIndex((option) => option === `--${name}` || option.startsWith(`--${name}=`));
  const value = options[at]?.split("=")[1] ?? options[at + 1];
  return at < 0 || value === undefined ? undefined : Number(value);
}
