import type { Comparison, ExporterFigures, Spread } from "./exporter-bench.js";
import type { HelperFigures } from "./helper-bench.js";
import { loads, type RequestsFigures, requestsVariants } from "./requests-bench.js";
import { type TracerFigures, type TracerSize, type Variant, variantNames } from "./tracer-bench.js";

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

function spread(values: readonly number[], digits: number): string {
  const text = (value: number): string => value.toFixed(digits);
  return `${text(median(values))} (${text(Math.min(...values))}-${text(Math.max(...values))})`;
}

/**
 * What a variant adds to an untraced packet, by what empty programs add to it: 1 is as good as nothing. Undefined where the
 * reference adds less than what the figures vary by.
 */
function addedRatio(figures: TracerFigures, variant: Variant, reference: Variant): number | undefined {
  const { packetNs } = figures;
  if (Math.max(...packetNs.untraced) >= Math.min(...packetNs[reference])) return undefined;
  const added = (name: Variant): number => median(packetNs[name]) - median(packetNs.untraced);
  return added(variant) / added(reference);
}

function renderRatios(figures: TracerFigures, variant: Variant): string {
  if (variant === "untraced") return "";
  const ratio = addedRatio(figures, variant, "empty");
  const text =
    ratio === undefined
      ? "; empty programs add less than the figures vary by"
      : `; adds ${ratio.toFixed(2)} times what empty programs add`;
  if (figures.packetNs["with returns"].length === 0) return text;
  const withReturns = addedRatio(figures, variant, "with returns");
  return withReturns === undefined ? text : `${text}, ${withReturns.toFixed(2)} times when those take returns`;
}

/** A table for people: medians, with the lowest and the highest in brackets. */
export function renderTracerFigures(title: string, figures: TracerFigures): string {
  const lines = [`== ${title}`];
  for (const variant of variantNames) {
    if (figures.packetNs[variant].length === 0) continue;
    lines.push(
      `${variant.padEnd(12)} ${spread(figures.packetNs[variant], 0)} ns a packet${renderRatios(figures, variant)}`,
    );
  }
  const sizes = figures.sizes["all kept"];
  const column = (read: (size: TracerSize) => number): readonly number[] => sizes.map(read);
  lines.push(
    `${median(column((size) => size.attachedProbes))} probes attached in ${spread(
      column((size) => size.attachMs),
      0,
    )} ms, ` +
      `gone ${spread(
        column((size) => size.detachMs),
        0,
      )} ms after being asked`,
    `${spread(
      column((size) => size.mapMiB),
      1,
    )} MiB of maps, ${spread(
      column((size) => size.residentMiB),
      1,
    )} MiB resident`,
    `all kept: ${figures.begun} journeys begun, ${figures.lost} lost`,
  );
  return lines.join("\n");
}

/** The exporter beside the stock tracer, batch processor and exporter, on the same spans. */
export function renderExporterFigures({ spans, comparisons, paced }: ExporterFigures): string {
  const lines = [`== the exporter, ${spans} spans from recorded bytes to the receiver's answer`];
  for (const comparison of comparisons) lines.push(...renderComparison(comparison));
  lines.push("", "-- how late the event loop was");
  for (const { receiver, spansPerSecond, delayMs, cpuShare } of paced)
    lines.push(
      `${Math.round(spansPerSecond)} spans a second into ${receiver}: ${delayMs.median.toFixed(1)} ms median, ` +
        `${delayMs.p99.toFixed(1)} ms p99, ${delayMs.highest.toFixed(1)} ms at most; ` +
        `${Math.round(100 * cpuShare)} % of a processor`,
    );
  return lines.join("\n");
}

function renderComparison({ title, senders, ratios }: Comparison): string[] {
  const text = ({ median: middle, lowest, highest }: Spread, digits: number): string =>
    `${middle.toFixed(digits)} (${lowest.toFixed(digits)}-${highest.toFixed(digits)})`;
  const lines = ["", `-- ${title}`];
  for (const [name, { spansPerSecond, spansPerCpuSecond }] of Object.entries(senders))
    lines.push(
      `${name.padEnd(21)} ${text(spansPerSecond, 0)} spans a second, ${text(spansPerCpuSecond, 0)} a processor second`,
    );
  for (const { of, to, rates } of ratios)
    lines.push(
      `${of} is ${text(rates.spansPerSecond, 1)} times ${to}, ${text(rates.spansPerCpuSecond, 1)} by processor time`,
    );
  return lines;
}

/** What a write costs with the helper, by what it costs without: 1 is as good as nothing. */
export function renderHelperFigures(figures: readonly HelperFigures[]): string {
  const said = { none: "no span is active", same: "one span writes all", each: "each write has its span" };
  const lines = ["== skbspan/register, processor time of a write over loopback and its answer, both ends"];
  for (const { spans, without, with: withHelper } of figures) {
    const ratio = median(withHelper.map((ns, round) => ns / (without[round] ?? Number.NaN)));
    lines.push(
      `${said[spans as keyof typeof said].padEnd(23)} ${spread(without, 0)} ns without, ${spread(withHelper, 0)} ns with; ` +
        `${ratio.toFixed(2)} times`,
    );
  }
  return lines.join("\n");
}

/** What looking for requests adds to an exchange, beside the exchange itself and beside packets that do not match. */
export function renderRequestsFigures(title: string, figures: RequestsFigures): string {
  const said = {
    unsampled: "a request with a trace context that is not sampled, and its answer",
    plain: "the same without a trace context",
    other: "as many bytes that are not HTTP",
    upload: "16 KiB of the body of one request",
  };
  const lines = [`== ${title}`];
  for (const load of loads) {
    const of = figures[load];
    lines.push("", `-- ${said[load]}`);
    for (const variant of requestsVariants) lines.push(`${variant.padEnd(13)} ${spread(of[variant], 0)} ns`);
    const ratio = (over: number, under: number): string => (over / under).toFixed(2);
    lines.push(
      `looking for requests makes it ${ratio(median(of["requests on"]), median(of["requests off"]))} times; ` +
        `left out by --sampled-only it adds ${ratio(
          median(of["not sampled"]) - median(of.untraced),
          median(of["no match"]) - median(of.untraced),
        )} times what a packet that does not match adds`,
    );
  }
  return lines.join("\n");
}
