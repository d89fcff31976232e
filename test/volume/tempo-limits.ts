/** A limit of Grafana Tempo: what is lost past it is lost there, mostly without a word to whoever sent it. */
export interface TempoLimit {
  readonly setting: string;
  readonly value: number;
  readonly unit: string;
  /** What it is, and what Tempo does past it. */
  readonly meaning: string;
  readonly source: string;
}

const configuration = "https://grafana.com/docs/tempo/latest/configuration/";
const ingestion = "https://grafana.com/docs/tempo/next/operations/manage-trace-ingestion/";

/**
 * Tempo's defaults, once: tests hold every exported trace against them, docs/volume.md shows them. Where versions or pages
 * of its documentation differ, the smaller value stands here.
 */
export const tempoLimits = {
  attributeBytes: {
    setting: "distributor.max_attribute_bytes",
    value: 2048,
    unit: "bytes",
    meaning: "a key or a value; cut",
    source: configuration,
  },
  traceBytes: {
    setting: "overrides: global.max_bytes_per_trace",
    value: 5_000_000,
    unit: "bytes",
    meaning: "a trace, with the application's spans in it; the rest is refused",
    source: ingestion,
  },
  bytesPerSecond: {
    setting: "overrides: ingestion.rate_limit_bytes",
    value: 15_000_000,
    unit: "bytes a second",
    meaning: "of a tenant, into one distributor (30,000,000 since 3.0); refused",
    source: ingestion,
  },
  burstBytes: {
    setting: "overrides: ingestion.burst_size_bytes",
    value: 20_000_000,
    unit: "bytes",
    meaning: "at once (30,000,000 since 3.0); refused",
    source: ingestion,
  },
  liveTraces: {
    setting: "overrides: ingestion.max_traces_per_user",
    value: 10_000,
    unit: "traces",
    meaning: "live at once, of a tenant, in one live-store; refused, and the sender is not told",
    source: ingestion,
  },
  liveBytes: {
    setting: "live_store.max_live_traces_bytes",
    value: 250_000_000,
    unit: "bytes",
    meaning: "of live traces, in one live-store; refused, and the sender is not told",
    source: configuration,
  },
  idleSeconds: {
    setting: "live_store.max_trace_idle",
    value: 5,
    unit: "seconds",
    meaning: "a trace is live for so long after its last span, and until the next look",
    source: configuration,
  },
  lookSeconds: {
    setting: "live_store.flush_check_period",
    value: 5,
    unit: "seconds",
    meaning: "between two looks for idle traces",
    source: configuration,
  },
} as const satisfies Readonly<Record<string, TempoLimit>>;

/** A trace whose spans all come at once is live for at most so long. */
export const LIVE_SECONDS = tempoLimits.idleSeconds.value + tempoLimits.lookSeconds.value;
