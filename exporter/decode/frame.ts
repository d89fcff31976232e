/**
 * A kernel address as a signed number: -1 is 0xffffffffffffffff. Kernel addresses lie in the top of the 64-bit range,
 * so that a double holds them exactly; 0 is no address.
 */
export type KernelAddress = number;

export type Backend = "kprobe.session" | "kprobe.multi" | "kprobe" | "tracepoint" | "drops" | "unknown";

export type JourneyEnd = "unknown" | "delivered" | "transmitted" | "dropped" | "merged" | "consumed" | "expired";

/** One traversal of a probe. Offsets are nanoseconds from the journey's start. */
export interface Hop {
  readonly probe: number;
  readonly cpu: number;
  readonly enterOffsetNs: number;
  /** Whether the return was observed; if not, `leaveOffsetNs` equals `enterOffsetNs` and `returnValue` is 0. */
  readonly returned: boolean;
  readonly leaveOffsetNs: number;
  /** Signed, the low 32 bits. */
  readonly returnValue: number;
}

/** The functions that the packet was inside of, innermost first, as return addresses. */
export interface Stack {
  readonly offsetNs: number;
  readonly cpu: number;
  /** How many hops stand before it in the journey: the last of them is where it was taken. */
  readonly hopsBefore: number;
  readonly addresses: readonly KernelAddress[];
}

/** What the packet looked like at first sight, at a change and at the end. Addresses are empty when unreadable. */
export interface Context {
  readonly offsetNs: number;
  readonly cpu: number;
  readonly hopsBefore: number;
  readonly atProbe: number;
  readonly netnsInode: number;
  readonly netnsCookie: bigint;
  readonly interfaceIndex: number;
  readonly interfaceName: string;
  readonly mark: number;
  readonly lengthBytes: number;
  readonly gsoSegments: number;
  readonly gsoBytes: number;
  readonly sourceAddress: string;
  readonly destinationAddress: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly ethertype: number;
  readonly vlan: number;
  readonly ipVersion: number;
  readonly transport: number;
  readonly ttl: number;
  readonly trafficClass: number;
  readonly ipId: number;
  readonly fragment: number;
  readonly networkBytes: number;
  readonly tcpSequence: number;
  readonly tcpAcknowledgement: number;
  readonly tcpWindow: number;
  readonly tcpFlags: number;
  /** 0: not known, as in recordings that are older. */
  readonly transportHeaderBytes: number;
  readonly icmpType: number;
  readonly icmpCode: number;
  readonly icmpId: number;
  readonly icmpSequence: number;
  readonly arpOperation: number;
  readonly sourceMac: string;
  readonly destinationMac: string;
  readonly hasNetwork: boolean;
  readonly hasTransport: boolean;
  /** `wire.changed*` bits: what differs from the context before. */
  readonly changed: number;
}

export interface Journey {
  readonly skbAddress: KernelAddress;
  readonly startMonotonicNs: bigint;
  readonly durationNs: number;
  readonly end: JourneyEnd;
  readonly dropReason: number;
  readonly dropLocation: KernelAddress;
  readonly isClone: boolean;
  readonly isStartedLate: boolean;
  /** Whether the process fields are those of the process that sent the packet. */
  readonly isInProcess: boolean;
  readonly isEndInferred: boolean;
  readonly lostHops: number;
  readonly startCpu: number;
  readonly threadId: number;
  readonly processId: number;
  readonly processName: string;
  readonly hops: readonly Hop[];
  readonly contexts: readonly Context[];
  readonly stacks: readonly Stack[];
}

export interface HelloFrame {
  readonly type: "hello";
  readonly startMonotonicNs: bigint;
  readonly startRealtimeNs: bigint;
  readonly attachDurationNs: number;
  readonly nodeNetnsInode: number;
  readonly backend: Backend;
  readonly cpuCount: number;
  readonly discoveredFunctions: number;
  readonly attachedFunctions: number;
  readonly skippedFunctions: number;
  readonly skbBytes: number;
  readonly kernelRelease: string;
  readonly hostName: string;
  readonly hostId: string;
  readonly filter: string;
}

export interface ProbeFrame {
  readonly type: "probe";
  readonly index: number;
  readonly address: KernelAddress;
  readonly kind: "function" | "tracepoint";
  readonly argument: number;
  /** One of `wireReturnKind`. */
  readonly returnKind: number;
  readonly name: string;
  readonly symbol: string;
  readonly module: string;
}

export interface SymbolFrame {
  readonly type: "symbol";
  readonly address: KernelAddress;
  /** Of the function that holds the address, 0 when it is unknown. */
  readonly start: KernelAddress;
  readonly name: string;
}

export interface DropReasonFrame {
  readonly type: "drop-reason";
  readonly value: number;
  readonly name: string;
}

export interface NamespaceFrame {
  readonly type: "namespace";
  readonly inode: number;
  readonly isNode: boolean;
  readonly isGone: boolean;
  readonly name: string;
}

/** Processes of one name in one network namespace and cgroup: told when they are first seen, and when the last is gone. */
export interface MemberFrame {
  readonly type: "member";
  /** 0: this kernel has none. */
  readonly netnsCookie: bigint;
  readonly netnsInode: number;
  readonly observedMonotonicNs: bigint;
  /** Of the process that was seen first. */
  readonly startMonotonicNs: bigint;
  readonly processId: number;
  readonly processName: string;
  /** Whether the namespace is the kernel's first one: the machine's. */
  readonly isNode: boolean;
  /** The paths are empty then. */
  readonly isGone: boolean;
  /** Of cgroup version 2 and 1; never used again. */
  readonly cgroupId: bigint;
  readonly cgroupV1Id: bigint;
  /** From the root of the hierarchy, "/" for the root itself; empty when it is not known. */
  readonly cgroupPath: string;
  readonly cgroupV1Path: string;
}

export type InventoryMethod = "none" | "iterator" | "walk";

/** All processes were looked at: who is not told of as a member, was not there. */
export interface InventoryFrame {
  readonly type: "inventory";
  readonly startMonotonicNs: bigint;
  readonly endMonotonicNs: bigint;
  /** "none": this kernel or these rights allow no scan. */
  readonly method: InventoryMethod;
  readonly isLive: boolean;
  readonly tasks: number;
  readonly members: number;
  /** Reports that were lost since the start. */
  readonly lost: number;
}

export type RequestSource = "none" | "http1" | "http2" | "tcp-option" | "thread" | "tls" | "helper";

/**
 * Whose the bytes are that an application sends on a TCP connection: from `sequence` on they belong to this request, until the next
 * frame for the same direction says otherwise.
 */
export interface RequestFrame {
  readonly type: "request";
  readonly observedMonotonicNs: bigint;
  readonly netnsCookie: bigint;
  readonly netnsInode: number;
  /** Of the first byte; without a meaning when `isOpening`. */
  readonly sequence: number;
  /** Of HTTP/2; 0: none. */
  readonly stream: number;
  readonly processId: number;
  readonly sourceAddress: string;
  readonly destinationAddress: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** "none": the bytes belong to no trace. */
  readonly source: RequestSource;
  /** The bytes answer the request. */
  readonly isResponse: boolean;
  /** Seen where they were read from the socket; otherwise where they were written to it. */
  readonly isReceived: boolean;
  /** Told before the connection was open: it covers what opens it. */
  readonly isOpening: boolean;
  /** Another frame with this sequence tells whose it is. */
  readonly isPending: boolean;
  /** 16 and 8 bytes; zeros where there is none. */
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
  /** Of W3C trace context: 1 sampled. */
  readonly traceFlags: number;
  /** It holds for so many bytes, and only where nothing else is known of them; 0: until the next frame. */
  readonly lengthBytes: number;
}

export interface JourneyFrame {
  readonly type: "journey";
  readonly journey: Journey;
}

export interface StatsFrame {
  readonly type: "stats";
  readonly monotonicNs: bigint;
  /** Since the start, indexed by `wireStat`. */
  readonly values: readonly number[];
}

export interface ClockFrame {
  readonly type: "clock";
  readonly monotonicNs: bigint;
  readonly realtimeNs: bigint;
}

export interface MessageFrame {
  readonly type: "message";
  readonly level: "info" | "warning";
  readonly text: string;
}

export interface EndFrame {
  readonly type: "end";
  readonly monotonicNs: bigint;
  readonly cause: "requested" | "limit" | "failure";
}

export type Frame =
  | HelloFrame
  | ProbeFrame
  | SymbolFrame
  | DropReasonFrame
  | NamespaceFrame
  | MemberFrame
  | InventoryFrame
  | JourneyFrame
  | RequestFrame
  | StatsFrame
  | ClockFrame
  | MessageFrame
  | EndFrame;
