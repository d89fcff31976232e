import type { TracerStats } from "../enrich/create-node-state.js";
import { details } from "../map/packet-span.js";
import type { AgentSnapshot } from "./agent-snapshot.js";
import type { Exemplar } from "./create-drop-counter.js";

export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
  /** Only counters can have one. */
  readonly exemplar?: Exemplar | undefined;
}

/** A row of the metric table. Names follow Prometheus: base units, `_total` for what only grows. */
export interface Metric {
  readonly name: string;
  readonly type: "counter" | "gauge";
  readonly help: string;
  read(snapshot: AgentSnapshot): readonly Sample[];
}

function counter(name: string, help: string, read: Metric["read"]): Metric {
  return { name: `skbspan_${name}_total`, type: "counter", help, read };
}

function gauge(name: string, help: string, read: Metric["read"]): Metric {
  return { name: `skbspan_${name}`, type: "gauge", help, read };
}

function stat(key: keyof TracerStats): Metric["read"] {
  return ({ state }) => [{ value: state.stats[key] }];
}

function statsBy(label: string, keys: Partial<Readonly<Record<keyof TracerStats, string>>>): Metric["read"] {
  return ({ state }) =>
    Object.entries(keys).map(([key, name]) => ({
      labels: { [label]: name },
      value: state.stats[key as keyof TracerStats],
    }));
}

/** Empty where the stage does not run. */
function labelled(label: string, counts: Readonly<Record<string, number>> | undefined): readonly Sample[] {
  return Object.entries(counts ?? {}).map(([name, value]) => ({ labels: { [label]: name }, value }));
}

type Sink = AgentSnapshot["sinks"][number];

function sinkCount(read: (sink: Sink) => number | undefined): Metric["read"] {
  return ({ sinks }) =>
    sinks.flatMap((sink) => {
      const value = read(sink);
      return value === undefined ? [] : [{ labels: { sink: sink.name }, value }];
    });
}

function sinkLosses(read: (sink: Sink) => Readonly<Record<string, number>>): Metric["read"] {
  return ({ sinks }) =>
    sinks.flatMap((sink) =>
      Object.entries(read(sink)).map(([cause, value]) => ({ labels: { sink: sink.name, cause }, value })),
    );
}

/** Counts that only some sinks have. */
function extra(name: string): (sink: Sink) => number | undefined {
  return ({ stats }) => {
    const value = (stats as unknown as Readonly<Record<string, unknown>>)[name];
    return typeof value === "number" ? value : undefined;
  };
}

export const metrics: readonly Metric[] = [
  gauge("build_info", "The version of skbspan, as a label of a constant 1.", ({ version }) => [
    { labels: { version }, value: 1 },
  ]),
  gauge(
    "tracer_info",
    "How the tracer is attached and to what kernel, as labels of a constant 1.",
    ({ state: { hello } }) =>
      hello ? [{ labels: { backend: hello.backend, kernel: hello.kernelRelease }, value: 1 }] : [],
  ),
  gauge("tracer_up", "Whether the tracer is attached: 1 or 0.", ({ state }) => [{ value: state.hello ? 1 : 0 }]),
  gauge(
    "probes",
    "Kernel functions that take a packet: discovered, attached, and chosen but not attachable.",
    ({ state: { hello } }) =>
      hello
        ? [
            { labels: { state: "discovered" }, value: hello.discoveredFunctions },
            { labels: { state: "attached" }, value: hello.attachedFunctions },
            { labels: { state: "skipped" }, value: hello.skippedFunctions },
          ]
        : [],
  ),
  gauge("attach_duration_seconds", "How long attaching took.", ({ state: { hello } }) =>
    hello ? [{ value: hello.attachDurationNs / 1e9 }] : [],
  ),
  gauge("namespaces", "Network namespaces with processes that are known, by whose they are.", ({ namespaces }) => [
    { labels: { owner: "pod" }, value: namespaces.podNamespaces },
    { labels: { owner: "disputed" }, value: namespaces.disputedNamespaces },
    {
      labels: { owner: "other" },
      value: namespaces.namespaces - namespaces.podNamespaces - namespaces.disputedNamespaces,
    },
  ]),
  counter(
    "namespace_reports_lost",
    "Reports of processes in network namespaces that the tracer had no room for; the next scan finds those that still run.",
    ({ namespaces }) => [{ value: namespaces.lostReports }],
  ),
  gauge("journeys_waiting", "Journeys that wait for the name of a pod now (pod_wait).", ({ namespaces }) => [
    { value: namespaces.waiting },
  ]),
  counter(
    "journeys_waited",
    "Journeys that waited for the name of a pod, by how that ended: settled, overdue or crowded_out; the last two went without.",
    ({ namespaces }) => [
      { labels: { outcome: "settled" }, value: namespaces.settled },
      { labels: { outcome: "overdue" }, value: namespaces.overdue },
      { labels: { outcome: "crowded_out" }, value: namespaces.crowdedOut },
    ],
  ),
  counter("journeys_started", "Journeys begun: matched, sampled in, and a slot was free.", stat("started")),
  gauge("journeys_live", "Journeys under way now.", stat("live")),
  counter(
    "journeys_ended",
    "Journeys ended, by how; each was sent, lost or discarded.",
    statsBy("end", {
      delivered: "delivered",
      transmitted: "transmitted",
      dropped: "dropped",
      merged: "merged",
      consumed: "consumed",
      expired: "expired",
    }),
  ),
  counter("journeys_sent", "Journeys that the tracer sent to the exporter.", stat("sent")),
  counter(
    "journeys_discarded",
    "Journeys that ended otherwise than wanted (dropped_only, min_duration).",
    stat("discarded"),
  ),
  counter(
    "journeys_not_started",
    "Packets that matched and were not followed, by why.",
    statsBy("cause", { sampledOut: "sample", rateLimited: "rate", notSampled: "sampled_only" }),
  ),
  counter(
    "journeys_lost",
    "Journeys lost between the kernel and the exporter, by cause.",
    statsBy("cause", { lostTableFull: "table_full", lostRingFull: "ring_full", lostOutput: "output" }),
  ),
  counter(
    "requests",
    "Requests of applications that were seen on their connections, by whether they carry a trace context; counted at each end.",
    statsBy("trace", { requests: "found", requestsPlain: "none" }),
  ),
  counter(
    "requests_unread",
    "Sends and reads that could not be followed: memory that could not be read, order that was lost, or too long a header.",
    stat("requestsUnread"),
  ),
  counter(
    "requests_lost",
    "Reports of requests that were lost because the ring buffer was full: their packets have traces of their own.",
    stat("lostRequests"),
  ),
  counter(
    "journeys_joined",
    "Journeys that became part of an application's trace, by where its trace context was found.",
    ({ joining }) => labelled("source", joining?.joined),
  ),
  counter(
    "journeys_linked",
    "Journeys with traces of their own that link to an application's span (join, or past a bound), by the same.",
    ({ joining }) => labelled("source", joining?.linked),
  ),
  counter(
    "journeys_past_bound",
    "Journeys that were linked since their application span had no room, by the bound (join_journeys, join_spans, join_trace_spans, join_for).",
    ({ joining }) => labelled("bound", joining?.past),
  ),
  counter("journeys_unsampled", "Journeys of requests that the application does not sample.", ({ joining }) =>
    joining ? [{ value: joining.unsampled }] : [],
  ),
  counter(
    "journeys_of_requests_left_out",
    "Journeys of sampled requests, neither joined nor linked: left out to stay within the limits (max_journeys_per_second, ...).",
    ({ joining }) => (joining ? [{ value: joining.leftOut }] : []),
  ),
  counter(
    "journeys_not_sampled",
    "Journeys left out since they belong to no sampled request (sampled_only), besides those that the kernel left out.",
    ({ joining }) => (joining ? [{ value: joining.shed }] : []),
  ),
  gauge(
    "journeys_join_waiting",
    "Journeys that wait for the request that they belong to now (join_wait).",
    ({ joining }) => (joining ? [{ value: joining.waiting }] : []),
  ),
  counter(
    "journeys_join_waited",
    "Journeys that waited for the request that they belong to, by how that ended: settled, overdue or crowded_out.",
    ({ joining }) =>
      labelled(
        "outcome",
        joining && { settled: joining.settled, overdue: joining.overdue, crowded_out: joining.crowdedOut },
      ),
  ),
  gauge(
    "requests_remembered",
    "What is remembered of requests: ranges of bytes, connections, spans of applications.",
    ({ joining }) =>
      labelled(
        "what",
        joining && { ranges: joining.ranges, connections: joining.connections, spans: joining.applicationSpans },
      ),
  ),
  counter(
    "requests_forgotten",
    "Ranges of bytes that were forgotten since there were too many (join_requests): their late packets are not joined.",
    ({ joining }) => (joining ? [{ value: joining.forgotten }] : []),
  ),
  counter(
    "looks_not_matched",
    "Looks at a packet that did not match; a packet may be looked at several times.",
    stat("notMatched"),
  ),
  counter("hops", "Hops recorded.", stat("hops")),
  counter("hops_lost", "Hops lost because the journey's slot was full.", stat("lostHops")),
  counter("probe_hits_missed", "Probe hits that the kernel skipped.", stat("lostMissed")),
  counter("packets_unreadable", "Packets whose headers could not be read.", stat("unreadable")),
  counter(
    "drops",
    "Dropped packets among those that were followed, by the kernel's reason, whether a fault or by design.",
    ({ dropsByReason }) => [...dropsByReason].map(([reason, value]) => ({ labels: { reason }, value })),
  ),
  counter(
    "drop_faults",
    "Dropped packets whose drop is a fault: why, where and whose. At most 1,500 series and one a reason.",
    ({ dropSeries }) =>
      dropSeries.map(({ labels, count, exemplar }) => ({ labels: { ...labels }, value: count, exemplar })),
  ),
  counter(
    "volume_journeys",
    "Journeys that left, by detail: less than asked for is to stay within the limits (max_journeys_per_second, ...).",
    ({ volume }) => Object.entries(volume.left).map(([detail, value]) => ({ labels: { detail }, value })),
  ),
  counter(
    "volume_journeys_shed",
    "Journeys left out to stay within the limits, by cause; no dropped packet's is.",
    ({ volume }) => Object.entries(volume.shed).map(([cause, value]) => ({ labels: { cause }, value })),
  ),
  counter(
    "volume_journeys_beyond",
    "Dropped packets' journeys that left, as summaries, though the limits were used up.",
    ({ volume }) => [{ value: volume.beyond.journeys }],
  ),
  gauge("volume_detail", "In what detail journeys may leave now: 1, and 0 for the others.", ({ volume }) =>
    details.map((detail) => ({ labels: { detail }, value: detail === volume.plan.detail ? 1 : 0 })),
  ),
  gauge("volume_share", "Which share of journeys may leave now; 1: all. Dropped packets' always do.", ({ volume }) => [
    { value: volume.plan.share },
  ]),
  counter(
    "sink_journeys",
    "Journeys given to a sink.",
    sinkCount(({ stats }) => stats.acceptedJourneys),
  ),
  counter(
    "sink_journeys_sent",
    "Journeys that the other side has as a whole.",
    sinkCount(({ stats }) => stats.sentJourneys),
  ),
  counter(
    "sink_journeys_lost",
    "Journeys lost in a sink, or that may have lost spans there, by cause; given = sent + lost + waiting.",
    sinkLosses(({ stats }) => stats.lostJourneys),
  ),
  gauge("sink_journeys_waiting", "Journeys that wait for the other side.", sinkCount(extra("waitingJourneys"))),
  counter(
    "sink_spans",
    "Spans given to a sink.",
    sinkCount(({ stats }) => stats.acceptedSpans),
  ),
  counter(
    "sink_spans_sent",
    "Spans that the other side has.",
    sinkCount(({ stats }) => stats.sentSpans),
  ),
  counter(
    "sink_spans_lost",
    "Spans lost in a sink, by cause.",
    sinkLosses(({ stats }) => stats.lostSpans),
  ),
  counter("sink_requests", "Export requests that were answered well.", sinkCount(extra("sentRequests"))),
  counter("sink_retries", "Export requests that were tried again.", sinkCount(extra("retries"))),
  gauge("sink_buffered_bytes", "Encoded spans that wait for the other side.", sinkCount(extra("bufferedBytes"))),
  gauge("export_failing_seconds", "How long exporting has failed now; 0 when it does not.", ({ exportFailingMs }) => [
    { value: exportFailingMs / 1000 },
  ]),
  gauge("kubernetes_up", "Whether the API server tells of this node's pods now: 1 or 0.", ({ pods }) =>
    pods ? [{ value: pods.health.state === "reading" ? 1 : 0 }] : [],
  ),
  gauge("kubernetes_pods", "Pods of this node that are known.", ({ pods }) => (pods ? [{ value: pods.pods }] : [])),
  counter("kubernetes_pods_left_out", "Pods not taken in, since they are more than a node can have.", ({ pods }) =>
    pods ? [{ value: pods.podsLeftOut }] : [],
  ),
  gauge("sessions_running", "Sessions that trace now.", ({ sessions }) =>
    sessions ? [{ value: sessions.running }] : [],
  ),
  counter("sessions_ended", "Sessions that ended, by how.", ({ sessions }) =>
    sessions
      ? [
          { labels: { end: "ended" }, value: sessions.ended },
          { labels: { end: "failed" }, value: sessions.failed },
        ]
      : [],
  ),
  gauge(
    "kubernetes_far_end_addresses",
    "Addresses whose owner is known besides this node's pods', by what was read.",
    ({ farEnds }) =>
      [...(farEnds ?? [])].map(([resource, { addresses }]) => ({ labels: { resource }, value: addresses })),
  ),
  gauge("kubernetes_far_ends_up", "Whether the API server tells of them now: 1 or 0.", ({ farEnds }) =>
    [...(farEnds ?? [])].map(([resource, { health }]) => ({
      labels: { resource },
      value: health.state === "reading" ? 1 : 0,
    })),
  ),
  counter(
    "kubernetes_far_ends_left_out",
    "Addresses not taken in, to keep the agent's memory bounded.",
    ({ farEnds }) =>
      [...(farEnds ?? [])].map(([resource, { addressesLeftOut }]) => ({
        labels: { resource },
        value: addressesLeftOut,
      })),
  ),
  counter(
    "kubernetes_requests",
    "What was asked of the API server; `relist`: a list read anew because the watch had fallen too far behind.",
    ({ pods }) =>
      pods
        ? (["lists", "watches", "relists"] as const).map((kind) => ({
            labels: { kind: kind.replace(/e?s$/, "") },
            value: pods[kind],
          }))
        : [],
  ),
  counter("kubernetes_failures", "Lists and watches that failed; they are tried again.", ({ pods }) =>
    pods ? [{ value: pods.failures }] : [],
  ),
  {
    name: "process_resident_memory_bytes",
    type: "gauge",
    help: "Resident memory of the exporter.",
    read: () => [{ value: process.memoryUsage.rss() }],
  },
  {
    name: "process_cpu_seconds_total",
    type: "counter",
    help: "Processor time of the exporter.",
    read: () => [{ value: cpuSeconds() }],
  },
  {
    name: "process_start_time_seconds",
    type: "gauge",
    help: "When the exporter started, since the Unix epoch.",
    read: () => [{ value: Math.round(performance.timeOrigin) / 1000 }],
  },
];

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
