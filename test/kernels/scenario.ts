import type { JourneyEnd } from "../../exporter/decode/frame.js";
import type { Lab } from "../../exporter/demo/lab/create-lab.js";

/** One failure or path that people meet, made out of namespaces, and the journeys that a tracer must tell of it. */
export interface Scenario {
  readonly name: string;
  readonly title: string;
  build(lab: Lab): Promise<void>;
  /**
   * Sends the packets, and checks by counters and answers that the kernel did what the scenario is about, so that
   * a failure of the tracer cannot be taken for one of the laboratory.
   */
  traffic(lab: Lab): Promise<void>;
  readonly expected: readonly ExpectedJourney[];
  /** Programs of the system that it needs and that may be missing. */
  readonly needs?: readonly string[];
}

export interface ExpectedJourney {
  readonly title: string;
  readonly packet: PacketPattern;
  /** Where functions are probed: these, in this order, with others between. `a|b`: one of them. */
  readonly functions: readonly string[];
  /** On the `tracepoint` backend: tracepoints, and functions out of stacks. */
  readonly stackFunctions: readonly string[];
  /** Why the `tracepoint` backend cannot tell this journey, when it cannot. */
  readonly untoldByStacks?: string;
  /** In the order crossed, by the lab's names; `.../eth0` where the interface matters too. */
  readonly path: readonly string[];
  /** How the destination changed on the way, as `address:port`, when it did. */
  readonly destinations?: readonly string[];
  /** How the source changed on the way. */
  readonly sources?: readonly string[];
  readonly end: JourneyEnd | readonly JourneyEnd[];
  /** Names without their prefix, of any kernel: `IP_INADDRERRORS`. */
  readonly dropReason?: string | readonly string[];
  /** The function at the drop's location, of any kernel. */
  readonly dropFunction?: string | readonly string[];
}

/** What must hold of one of the journey's contexts. */
export interface PacketPattern {
  readonly transport?: "tcp" | "udp" | "icmp" | "icmpv6";
  readonly arpOperation?: number;
  readonly source?: string;
  readonly sourcePort?: number;
  readonly destination?: string;
  readonly destinationPort?: number;
  /** Letters of tcpdump: exactly these flags, e.g. `S`, `S.`, `P.`, `R.`. */
  readonly tcpFlags?: string;
  readonly icmpType?: number;
  readonly icmpCode?: number;
  readonly minLengthBytes?: number;
  readonly minGsoSegments?: number;
  readonly isFragment?: boolean;
}
