import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse, stringify } from "yaml";
import { unpackDebianPrograms, withDebianShare } from "./debian-programs.js";
import { findFreePorts } from "./find-free-ports.js";
import { type Service, startService } from "./start-service.js";

export interface AlertmanagerOptions {
  /** Where its webhook goes; absent: where the file says. */
  readonly webhookUrl?: string;
  /** Absent: a free one. */
  readonly port?: number;
}

export interface Alertmanager extends Service {
  readonly url: string;
  /** `host:port`, for Prometheus. */
  readonly address: string;
}

const configFile = fileURLToPath(new URL("../../../../otel-config/alertmanager.yml", import.meta.url));

/** Starts the real Alertmanager with otel-config/alertmanager.yml, only the webhook's address being another. */
export async function startAlertmanager({ webhookUrl, port }: AlertmanagerOptions = {}): Promise<Alertmanager> {
  const debian = await unpackDebianPrograms();
  const address = `127.0.0.1:${port ?? (await findFreePorts(1))[0]}`;
  const folder = await mkdtemp(join(tmpdir(), "skbspan-alertmanager-"));
  const config = parse(await readFile(configFile, "utf8"));
  for (const receiver of config.receivers)
    for (const hook of receiver.webhook_configs) hook.url = webhookUrl ?? hook.url;
  await writeFile(join(folder, "alertmanager.yml"), stringify(config));
  const removing = (): Promise<void> => rm(folder, { recursive: true, force: true, maxRetries: 3 });
  try {
    const service = await startService({
      name: "Alertmanager",
      argv: withDebianShare(debian, [
        join(debian, "usr/bin/prometheus-alertmanager"),
        ...[`--config.file=${join(folder, "alertmanager.yml")}`, `--storage.path=${folder}`],
        // Alone: without a cluster, for which it would look for an address.
        ...[`--web.listen-address=${address}`, "--cluster.listen-address="],
      ]),
      ready: `http://${address}/-/ready`,
    });
    return {
      ...service,
      url: `http://${address}`,
      address,
      stop: () => service.stop().then(removing),
      kill: () => service.kill().then(removing),
    };
  } catch (error) {
    await removing();
    throw error;
  }
}
