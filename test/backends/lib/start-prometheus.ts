import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse, stringify } from "yaml";
import { unpackDebianPrograms, withDebianShare } from "./debian-programs.js";
import { findFreePorts } from "./find-free-ports.js";
import { type Service, startService } from "./start-service.js";

export interface PrometheusOptions {
  /** `host:port` of what each job of otel-config/prometheus.yml scrapes; a job that is not named scrapes nothing. */
  readonly targets: Readonly<Record<string, readonly string[]>>;
  /** `host:port`; absent: alerts go nowhere. */
  readonly alertmanager?: string;
  /** Absent: a free one. */
  readonly port?: number;
}

export interface Prometheus extends Service {
  readonly url: string;
}

interface ScrapeJob {
  readonly job_name: string;
  static_configs: { readonly targets: readonly string[] }[];
}

const configDirectory = fileURLToPath(new URL("../../../../otel-config/", import.meta.url));

/** Starts the real Prometheus with otel-config/prometheus.yml and its rules, only the targets being others. */
export async function startPrometheus(options: PrometheusOptions): Promise<Prometheus> {
  const debian = await unpackDebianPrograms();
  const port = options.port ?? (await findFreePorts(1))[0] ?? 0;
  const folder = await mkdtemp(join(tmpdir(), "skbspan-prometheus-"));
  const configFile = join(folder, "prometheus.yml");
  await writeFile(configFile, await renderPrometheusConfig(options));
  const program = [
    join(debian, "usr/bin/prometheus"),
    ...[`--config.file=${configFile}`, `--storage.tsdb.path=${join(folder, "data")}`],
    ...["--enable-feature=exemplar-storage", `--web.listen-address=127.0.0.1:${port}`],
  ];
  const url = `http://127.0.0.1:${port}`;
  const removing = (): Promise<void> => rm(folder, { recursive: true, force: true, maxRetries: 3 });
  try {
    const argv = withDebianShare(debian, program);
    const service = await startService({ name: "Prometheus", argv, ready: `${url}/-/ready` });
    return {
      ...service,
      url,
      stop: () => service.stop().then(removing),
      kill: () => service.kill().then(removing),
    };
  } catch (error) {
    await removing();
    throw error;
  }
}

/** @internal */
export async function renderPrometheusConfig({ targets, alertmanager }: PrometheusOptions): Promise<string> {
  const config = parse(await readFile(join(configDirectory, "prometheus.yml"), "utf8"));
  for (const job of config.scrape_configs as ScrapeJob[])
    job.static_configs = [{ targets: targets[job.job_name] ?? [] }];
  config.rule_files = (config.rule_files as string[]).map((file) => join(configDirectory, file));
  config.alerting.alertmanagers = [{ static_configs: [{ targets: alertmanager === undefined ? [] : [alertmanager] }] }];
  return stringify(config);
}
