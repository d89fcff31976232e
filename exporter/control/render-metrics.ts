import type { AgentSnapshot } from "./agent-snapshot.js";
import type { Exemplar } from "./create-drop-counter.js";
import { type Metric, metrics, type Sample } from "./metrics.js";

export interface MetricsFormat {
  readonly contentType: string;
  readonly isOpenMetrics: boolean;
}

const openMetrics: MetricsFormat = {
  contentType: "application/openmetrics-text; version=1.0.0; charset=utf-8",
  isOpenMetrics: true,
};
const prometheusText: MetricsFormat = {
  contentType: "text/plain; version=0.0.4; charset=utf-8",
  isOpenMetrics: false,
};

/** OpenMetrics, which has exemplars, for who says to take it (Prometheus does), else Prometheus' older text. */
export function chooseMetricsFormat(accept: string | undefined): MetricsFormat {
  return accept?.includes("application/openmetrics-text") ? openMetrics : prometheusText;
}

export function renderMetrics(snapshot: AgentSnapshot, { isOpenMetrics }: MetricsFormat): string {
  const text = metrics.map((metric) => renderMetric(metric, metric.read(snapshot), isOpenMetrics)).join("");
  return isOpenMetrics ? `${text}# EOF\n` : text;
}

function renderMetric({ name, type, help }: Metric, samples: readonly Sample[], isOpenMetrics: boolean): string {
  if (samples.length === 0) return "";
  // A counter's samples end in _total; OpenMetrics calls the family by the name without it.
  const family = isOpenMetrics ? name.replace(/_total$/, "") : name;
  const lines = [`# HELP ${family} ${escapeHelp(help, isOpenMetrics)}`, `# TYPE ${family} ${type}`];
  for (const { labels, value, exemplar } of samples) {
    const suffix = isOpenMetrics && exemplar ? renderExemplar(exemplar) : "";
    lines.push(`${name}${renderLabels(labels ?? {})} ${value}${suffix}`);
  }
  return `${lines.join("\n")}\n`;
}

function renderExemplar({ traceId, spanId, unixMs }: Exemplar): string {
  return ` # {trace_id="${traceId}",span_id="${spanId}"} 1 ${(unixMs / 1_000).toFixed(3)}`;
}

function renderLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escapeHelp(text: string, isOpenMetrics: boolean): string {
  // OpenMetrics escapes quotes here too.
  return isOpenMetrics ? escapeLabel(text) : text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function escapeLabel(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}
