import {
  ATTR_CODE_FUNCTION_NAME,
  ATTR_CODE_STACKTRACE,
  ATTR_ERROR_TYPE,
  ATTR_NETWORK_TRANSPORT,
  ATTR_NETWORK_TYPE,
} from "@opentelemetry/semantic-conventions";
import {
  ATTR_CPU_LOGICAL_NUMBER,
  ATTR_DESTINATION_ADDRESS,
  ATTR_DESTINATION_PORT,
  ATTR_NETWORK_INTERFACE_NAME,
  ATTR_PROCESS_EXECUTABLE_NAME,
  ATTR_PROCESS_PID,
  ATTR_SOURCE_ADDRESS,
  ATTR_SOURCE_PORT,
} from "@opentelemetry/semantic-conventions/incubating";

export type AttributeType = "string" | "int" | "boolean" | "string[]";

/** Where an attribute stands: on the journey's root span, on hops, on runs of hops in a layer, on waits, on what dropped. */
export type AttributePlace = "root" | "hop" | "layer" | "wait" | "drop";

export interface AttributeDefinition {
  /** Its place in the table. */
  readonly index: number;
  readonly key: string;
  readonly type: AttributeType;
  /** UCUM, as in OpenTelemetry. */
  readonly unit?: string;
  readonly on: readonly AttributePlace[];
  readonly meaning: string;
  /** Where the value comes from. */
  readonly source: string;
}

const conventions = "OpenTelemetry semantic conventions";
const firstContext = "first sight";

type Row = Omit<AttributeDefinition, "index">;

function numberRows<Table extends Record<string, Row>>(table: Table): { [Name in keyof Table]: AttributeDefinition } {
  return Object.fromEntries(Object.entries(table).map(([name, row], index) => [name, { index, ...row }])) as {
    [Name in keyof Table]: AttributeDefinition;
  };
}

type FarEndRows<Side extends string> = Record<`${Side}Pod` | `${Side}Namespace` | `${Side}Service`, Row>;

function farEndRows<const Side extends "source" | "destination">(side: Side): FarEndRows<Side> {
  const row = (key: string, meaning: string): Row => ({
    key: `${side}.${key}`,
    type: "string",
    on: ["root"],
    meaning,
    source: "Kubernetes' API; --far-ends says how far it is asked",
  });
  return {
    [`${side}Pod`]: row("k8s.pod.name", `The pod that \`${side}.address\` belongs to, when it is known`),
    [`${side}Namespace`]: row("k8s.namespace.name", "The namespace of that pod or Service"),
    [`${side}Service`]: row("k8s.service.name", `The Service whose ClusterIP \`${side}.address\` is`),
  } as FarEndRows<Side>;
}

/** Every attribute of a span, once. docs/attributes.md is generated from this table. */
export const attributes = numberRows({
  sourceAddress: {
    key: ATTR_SOURCE_ADDRESS,
    type: "string",
    on: ["root"],
    meaning: "Address that the packet came from, as it was at first sight",
    source: firstContext,
  },
  sourcePort: {
    key: ATTR_SOURCE_PORT,
    type: "int",
    on: ["root"],
    meaning: "Port that the packet came from, as it was at first sight",
    source: firstContext,
  },
  destinationAddress: {
    key: ATTR_DESTINATION_ADDRESS,
    type: "string",
    on: ["root"],
    meaning: "Address that the packet went to, as it was at first sight (before a translation by this node)",
    source: firstContext,
  },
  destinationPort: {
    key: ATTR_DESTINATION_PORT,
    type: "int",
    on: ["root"],
    meaning: "Port that the packet went to, as it was at first sight",
    source: firstContext,
  },
  ...farEndRows("source"),
  ...farEndRows("destination"),
  networkType: {
    key: ATTR_NETWORK_TYPE,
    type: "string",
    on: ["root"],
    meaning: "`ipv4`, `ipv6` or `arp`",
    source: firstContext,
  },
  networkTransport: {
    key: ATTR_NETWORK_TRANSPORT,
    type: "string",
    on: ["root"],
    meaning: "`tcp`, `udp`, `icmp`, ...; `protocol 132` when it has no short name",
    source: firstContext,
  },
  tcpFlags: {
    key: "tcp.flags",
    type: "string",
    on: ["root"],
    meaning: "Names of the TCP flags that are set, e.g. `SYN,ACK`",
    source: firstContext,
  },
  tcpSequence: { key: "tcp.sequence", type: "int", on: ["root"], meaning: "TCP sequence number", source: firstContext },
  tcpAcknowledgement: {
    key: "tcp.acknowledgement",
    type: "int",
    on: ["root"],
    meaning: "TCP acknowledgement number",
    source: firstContext,
  },
  icmpType: { key: "icmp.type", type: "int", on: ["root"], meaning: "ICMP or ICMPv6 type", source: firstContext },
  icmpCode: { key: "icmp.code", type: "int", on: ["root"], meaning: "ICMP or ICMPv6 code", source: firstContext },
  arpOperation: {
    key: "arp.operation",
    type: "string",
    on: ["root"],
    meaning: "`request`, `reply`, or the number",
    source: firstContext,
  },
  sourceMac: {
    key: "source.mac",
    type: "string",
    on: ["root"],
    meaning: "Link-layer source address",
    source: firstContext,
  },
  destinationMac: {
    key: "destination.mac",
    type: "string",
    on: ["root"],
    meaning: "Link-layer destination address",
    source: firstContext,
  },
  ipId: {
    key: "ip.id",
    type: "int",
    on: ["root"],
    meaning: "IPv4 identification; IPv6 flow label",
    source: firstContext,
  },
  ipTtl: { key: "ip.ttl", type: "int", on: ["root"], meaning: "Time to live; IPv6 hop limit", source: firstContext },
  skbProtocol: {
    key: "skb.protocol",
    type: "string",
    on: ["root"],
    meaning: "Ethertype in hexadecimal, e.g. `0x0800`",
    source: firstContext,
  },
  skbLength: {
    key: "skb.len",
    type: "int",
    unit: "By",
    on: ["root", "hop", "layer"],
    meaning: "Bytes from the network header on; more than a packet can hold before segmentation offload cut it",
    source: "context of the hop",
  },
  skbMark: {
    key: "skb.mark",
    type: "int",
    on: ["root", "hop", "layer"],
    meaning: "The packet's mark (fwmark)",
    source: "context of the hop",
  },
  skbVlan: {
    key: "skb.vlan",
    type: "int",
    on: ["root"],
    meaning: "VLAN tag control information",
    source: firstContext,
  },
  skbSegments: {
    key: "skb.segments",
    type: "int",
    on: ["root"],
    meaning: "How many packets on the wire this one stands for (segmentation offload)",
    source: firstContext,
  },
  skbAddress: {
    key: "skb.address",
    type: "string",
    on: ["root", "hop", "layer"],
    meaning: "Kernel address of the `sk_buff`; reused for other packets",
    source: "journey",
  },
  skbClone: {
    key: "skb.clone",
    type: "boolean",
    on: ["root"],
    meaning: "A copy of some packet: its data was shared at first sight",
    source: "journey",
  },
  skbChanged: {
    key: "skb.changed",
    type: "string[]",
    on: ["root", "hop", "layer"],
    meaning: "What of the packet's context was different from before, as `field: old -> new`",
    source: "two successive contexts",
  },
  journeyEnd: {
    key: "journey.end",
    type: "string",
    on: ["root"],
    meaning: "`delivered`, `transmitted`, `dropped`, `merged`, `consumed`, `expired` (not seen to end) or `unknown`",
    source: "journey",
  },
  journeyEndInferred: {
    key: "journey.end_inferred",
    type: "boolean",
    on: ["root"],
    meaning: "The end was concluded, not seen",
    source: "journey",
  },
  journeyHops: { key: "journey.hops", type: "int", on: ["root"], meaning: "Hops recorded", source: "journey" },
  journeyLostHops: {
    key: "journey.lost_hops",
    type: "int",
    on: ["root"],
    meaning: "Hops that found no room in the journey's record",
    source: "journey",
  },
  journeyDuration: {
    key: "journey.duration_ns",
    type: "int",
    unit: "ns",
    on: ["root"],
    meaning: "From first sight to the end",
    source: "journey",
  },
  journeyBackend: {
    key: "journey.backend",
    type: "string",
    on: ["root"],
    meaning: "How the probes were attached: `kprobe.session`, `kprobe.multi`, `kprobe`, `tracepoint`, `drops`",
    source: "HELLO frame",
  },
  journeyComplete: {
    key: "journey.complete",
    type: "boolean",
    on: ["root"],
    meaning: "No hop is missing, the start was seen, and so was the end",
    source: "journey",
  },
  journeyDetail: {
    key: "journey.detail",
    type: "string",
    on: ["root"],
    meaning: "`layers` or `summary`: the journey is shown in less detail than it was seen; absent: a span a function",
    source: "`--detail`, or the budget",
  },
  journeyLayers: {
    key: "journey.layers",
    type: "string[]",
    on: ["root"],
    meaning: "With `journey.detail=summary`: how many functions of each layer the packet passed, as `layer: count`",
    source: "hops",
  },
  journeyWaits: {
    key: "journey.waits",
    type: "int",
    on: ["root"],
    meaning: "With `journey.detail=summary`: how often the packet waited in a queue",
    source: "waits",
  },
  journeyWaitDuration: {
    key: "journey.wait_ns",
    type: "int",
    unit: "ns",
    on: ["root"],
    meaning: "With `journey.detail=summary`: how long it waited in all",
    source: "waits",
  },
  journeyLongestWait: {
    key: "journey.longest_wait",
    type: "string",
    on: ["root"],
    meaning: "With `journey.detail=summary`: the queue in which it waited longest",
    source: "waits",
  },
  journeyJoin: {
    key: "journey.join",
    type: "string",
    on: ["root"],
    meaning:
      "What the packet has to do with the application's request that it belongs to: `data`, `retransmission`, `acknowledgement`, `close` or `handshake`. Absent: it belongs to none, as far as is known",
    source: "REQUEST frames, TCP's sequence numbers",
  },
  requestSource: {
    key: "journey.request.source",
    type: "string",
    on: ["root"],
    meaning:
      "Where the request's trace context was found: `http1`, `http2`, `tcp-option`, `thread`, `tls` or `helper` (docs/joining.md)",
    source: "REQUEST frames",
  },
  requestResponse: {
    key: "journey.request.response",
    type: "boolean",
    on: ["root"],
    meaning: "The bytes answer the request (of an acknowledgement: those that it acknowledges)",
    source: "REQUEST frames",
  },
  joinPast: {
    key: "journey.join.past",
    type: "string",
    on: ["root"],
    meaning:
      "Why the journey has a trace of its own, with a link to the application's span, though it belongs to a request: it would be past `journeys`, `spans`, `trace` (--join-journeys, --join-spans, --join-trace-spans) or `time` (--join-for)",
    source: "the request's budget",
  },
  leftOutJourneys: {
    key: "journey.left_out.journeys",
    type: "int",
    on: ["root"],
    meaning:
      "How many journeys of the same application span were left out of its trace until then: they have their own, or were left out by --max-*-per-second",
    source: "the request's budget",
  },
  leftOutSpans: {
    key: "journey.left_out.spans",
    type: "int",
    on: ["root"],
    meaning: "How many spans those journeys have in full detail, about",
    source: "the request's budget",
  },
  leftOutBytes: {
    key: "journey.left_out.bytes",
    type: "int",
    unit: "By",
    on: ["root"],
    meaning: "How many bytes those packets had, from their network headers on",
    source: "the request's budget",
  },
  layerName: {
    key: "layer.name",
    type: "string",
    on: ["layer"],
    meaning:
      "`device`, `qdisc`, `bridge`, `netfilter`, `ip`, `xfrm`, `tcp`, `udp`, `socket`; `other` when no function has a known one",
    source: "a table of function names",
  },
  layerHops: {
    key: "layer.hops",
    type: "int",
    on: ["layer"],
    meaning: "How many functions one after another, in the same layer and namespace, the span stands for",
    source: "hops",
  },
  layerFirstFunction: {
    key: "layer.first_function",
    type: "string",
    on: ["layer"],
    meaning: "The first of them",
    source: "hops",
  },
  layerLastFunction: {
    key: "layer.last_function",
    type: "string",
    on: ["layer"],
    meaning: "The last of them; absent when there is one",
    source: "hops",
  },
  dropReason: {
    key: "skb.drop.reason",
    type: "string",
    on: ["root", "drop"],
    meaning: "The kernel's reason without its `SKB_DROP_REASON_` prefix; names are the running kernel's",
    source: "the tracepoint skb:kfree_skb",
  },
  dropLocation: {
    key: "skb.drop.location",
    type: "string",
    on: ["root", "drop"],
    meaning: "Where in the kernel it was dropped, e.g. `nf_hook_slow+0xd3`",
    source: "the tracepoint skb:kfree_skb",
  },
  dropAdvice: {
    key: "skb.drop.advice",
    type: "string",
    on: ["root", "drop"],
    meaning: "What a person can do about it",
    source: "a table by reason and location",
  },
  errorType: {
    key: ATTR_ERROR_TYPE,
    type: "string",
    on: ["root", "drop"],
    meaning: "The drop reason, when the drop is a fault",
    source: conventions,
  },
  codeStacktrace: {
    key: ATTR_CODE_STACKTRACE,
    type: "string",
    on: ["drop"],
    meaning: "The kernel's stack at the drop, innermost first",
    source: "stack at the drop",
  },
  codeFunctionName: {
    key: ATTR_CODE_FUNCTION_NAME,
    type: "string",
    on: ["hop"],
    meaning: "The kernel function, or the tracepoint",
    source: "probe",
  },
  codeModule: {
    key: "code.module",
    type: "string",
    on: ["hop"],
    meaning: "The kernel module of the function; absent for the kernel itself",
    source: "probe",
  },
  cpuLogicalNumber: {
    key: ATTR_CPU_LOGICAL_NUMBER,
    type: "int",
    on: ["hop"],
    meaning: "The CPU on which the function was entered",
    source: "hop",
  },
  networkInterfaceName: {
    key: ATTR_NETWORK_INTERFACE_NAME,
    type: "string",
    on: ["root", "hop", "layer"],
    meaning: "The interface that the packet belonged to",
    source: "context of the hop",
  },
  networkInterfaceIndex: {
    key: "network.interface.index",
    type: "int",
    on: ["root", "hop", "layer"],
    meaning: "The interface's number in its namespace",
    source: "context of the hop",
  },
  netnsInode: {
    key: "netns.inode",
    type: "int",
    on: ["root", "hop", "layer"],
    meaning: "The network namespace, as in /proc/PID/ns/net",
    source: "context of the hop",
  },
  processPid: {
    key: ATTR_PROCESS_PID,
    type: "int",
    on: ["root", "hop", "layer"],
    meaning: "The process that sent the packet; only on hops in its context",
    source: "journey",
  },
  processExecutableName: {
    key: ATTR_PROCESS_EXECUTABLE_NAME,
    type: "string",
    on: ["root", "hop", "layer"],
    meaning: "Name of the thread that sent the packet; only on hops in its context",
    source: "journey",
  },
  hopOffset: {
    key: "hop.offset_ns",
    type: "int",
    unit: "ns",
    on: ["hop", "layer", "wait"],
    meaning: "From the journey's start to the entry",
    source: "hop",
  },
  hopDuration: {
    key: "hop.duration_ns",
    type: "int",
    unit: "ns",
    on: ["hop", "layer", "wait"],
    meaning: "Exact duration; the span itself lasts at least 1 ns, and until what it encloses has ended",
    source: "hop",
  },
  hopDurationInferred: {
    key: "hop.duration_inferred",
    type: "boolean",
    on: ["hop", "layer"],
    meaning:
      "The return was not observed: the duration is that until the next hop, or of observation for `hop.source=stack`",
    source: "hop",
  },
  hopSource: {
    key: "hop.source",
    type: "string",
    on: ["hop"],
    meaning: "`probe`: entry and maybe return were traced; `tracepoint`: a moment; `stack`: seen on kernel stacks",
    source: "hop",
  },
  hopReturnValue: {
    key: "hop.return_value",
    type: "string",
    on: ["hop"],
    meaning: "What the function returned, by its type: a verdict, an error's name, a drop reason, a number",
    source: "hop",
  },
});
