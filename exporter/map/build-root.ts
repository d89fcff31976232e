import type { Context } from "../decode/frame.js";
import { type AttributeDefinition, attributes } from "./attributes.js";
import {
  ETHERTYPE_ARP,
  formatEthertype,
  hasPorts,
  nameNetwork,
  nameProtocol,
  nameTcpFlags,
  nameTransport,
} from "./describe-packet.js";
import type { JourneyDraft } from "./journey-draft.js";
import type { Drop } from "./mark-drop.js";
import { createAttribute } from "./packet-span.js";
import { SpanDraft } from "./span-draft.js";

const TCP = 6;
const ICMP = 1;
const ICMPV6 = 58;
const arpOperations: Readonly<Record<number, string>> = { 1: "request", 2: "reply" };

/** The journey's own span. */
export function buildRoot(draft: JourneyDraft, drop: Drop | undefined): SpanDraft {
  const { journey, places, ids } = draft;
  const shape = places.first.shapes.root(nameProtocol(places.first.context), drop?.verdict.isFault === true);
  ids.draw();
  const root = new SpanDraft(shape, ids.high, ids.low, -1, 0, Math.max(0, journey.durationNs), undefined);
  addPacket(draft, root, places.first.context);
  addJourney(draft, root);
  for (const attribute of draft.process) root.add(attribute);
  for (const attribute of drop?.attributes ?? []) root.add(attribute);
  root.fault = drop?.fault;
  return root;
}

function addPacket(draft: JourneyDraft, root: SpanDraft, context: Context | undefined): void {
  if (!context) return;
  const { pool } = draft;
  const fresh = (definition: AttributeDefinition, value: number): void => root.add(createAttribute(definition, value));
  const shared = (definition: AttributeDefinition, value: string | number | undefined): void => {
    if (value !== undefined && value !== "") root.add(pool.get(definition, value));
  };
  shared(attributes.sourceAddress, context.sourceAddress);
  shared(attributes.destinationAddress, context.destinationAddress);
  if (hasPorts(context)) {
    shared(attributes.sourcePort, context.sourcePort);
    shared(attributes.destinationPort, context.destinationPort);
  }
  addFarEnds(draft, root, context);
  shared(attributes.networkType, nameNetwork(context));
  shared(attributes.networkTransport, nameTransport(context));
  if (context.hasTransport && context.transport === TCP) {
    shared(attributes.tcpFlags, nameTcpFlags(context.tcpFlags));
    fresh(attributes.tcpSequence, context.tcpSequence);
    fresh(attributes.tcpAcknowledgement, context.tcpAcknowledgement);
  }
  if (context.hasTransport && (context.transport === ICMP || context.transport === ICMPV6)) {
    shared(attributes.icmpType, context.icmpType);
    shared(attributes.icmpCode, context.icmpCode);
  }
  if (context.hasNetwork && context.ethertype === ETHERTYPE_ARP)
    shared(attributes.arpOperation, arpOperations[context.arpOperation] ?? String(context.arpOperation));
  if (context.hasNetwork && context.ipVersion !== 0) {
    fresh(attributes.ipId, context.ipId);
    shared(attributes.ipTtl, context.ttl);
  }
  shared(attributes.sourceMac, context.sourceMac);
  shared(attributes.destinationMac, context.destinationMac);
  if (context.ethertype !== 0) shared(attributes.skbProtocol, formatEthertype(context.ethertype));
  shared(attributes.skbLength, context.lengthBytes);
  shared(attributes.skbMark, context.mark);
  if (context.vlan !== 0) shared(attributes.skbVlan, context.vlan);
  if (context.gsoSegments > 1) shared(attributes.skbSegments, context.gsoSegments);
  if (context.netnsInode !== 0) shared(attributes.netnsInode, context.netnsInode);
  shared(attributes.networkInterfaceName, context.interfaceName);
  if (context.interfaceIndex !== 0) shared(attributes.networkInterfaceIndex, context.interfaceIndex);
}

function addFarEnds({ state, pool }: JourneyDraft, root: SpanDraft, context: Context): void {
  const isPorted = hasPorts(context);
  const source = state.farEnd(context.sourceAddress, isPorted ? context.sourcePort : undefined);
  const destination = state.farEnd(context.destinationAddress, isPorted ? context.destinationPort : undefined);
  if (source) {
    if (source.pod) root.add(pool.get(attributes.sourcePod, source.pod));
    if (source.service) root.add(pool.get(attributes.sourceService, source.service));
    root.add(pool.get(attributes.sourceNamespace, source.namespace));
  }
  if (!destination) return;
  if (destination.pod) root.add(pool.get(attributes.destinationPod, destination.pod));
  if (destination.service) root.add(pool.get(attributes.destinationService, destination.service));
  root.add(pool.get(attributes.destinationNamespace, destination.namespace));
}

function addJourney(draft: JourneyDraft, root: SpanDraft): void {
  const { journey, pool, state, places } = draft;
  const address = places.first.group.attributes[0];
  if (address) root.add(address);
  if (journey.isClone) root.add(pool.get(attributes.skbClone, true));
  root.add(pool.get(attributes.journeyEnd, journey.end));
  if (journey.isEndInferred) root.add(pool.get(attributes.journeyEndInferred, true));
  root.add(pool.get(attributes.journeyHops, journey.hops.length));
  root.add(pool.get(attributes.journeyLostHops, journey.lostHops));
  root.add(createAttribute(attributes.journeyDuration, Math.max(0, journey.durationNs)));
  root.add(pool.get(attributes.journeyBackend, state.hello?.backend ?? "unknown"));
  const isEndSeen = journey.end !== "expired" && journey.end !== "unknown";
  root.add(pool.get(attributes.journeyComplete, isEndSeen && journey.lostHops === 0 && !journey.isStartedLate));
}
