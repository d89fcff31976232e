// Generated from bpf/wire.h by `npm run generate`. Do not edit.
// A struct's fields are byte offsets; `bytes` is its size, `<field>Bytes` the size of an array field.

export const wire = {
  changedDestination: 16,
  changedInterface: 2,
  changedLength: 32,
  changedMark: 4,
  changedNetns: 1,
  changedProtocol: 64,
  changedSource: 8,
  changedTtl: 128,
  contextLinkHeader: 1,
  contextNetwork: 2,
  contextTransport: 4,
  contextUnits: 6,
  endianMark: 16909060,
  journeyClone: 1,
  journeyEndInferred: 8,
  journeyInProcess: 4,
  journeyStartedLate: 2,
  magic: "SKBSPAN\n",
  memberCut: 4,
  memberGone: 2,
  memberNode: 1,
  namespaceGone: 2,
  namespaceNode: 1,
  requestOpening: 4,
  requestPending: 8,
  requestReceived: 2,
  requestResponse: 1,
  unitBytes: 24,
  unitContext: 65535,
  unitStack: 65534,
  version: 1,
} as const;

export const wirePrologue = {
  bytes: 16,
  magic: 0,
  magicBytes: 8,
  version: 8,
  headerBytes: 10,
  endian: 12,
} as const;

export const wireFrameType = {
  hello: 1,
  probe: 2,
  symbol: 3,
  dropReason: 4,
  namespace: 5,
  journey: 6,
  stats: 7,
  clock: 8,
  message: 9,
  end: 10,
  member: 11,
  inventory: 12,
  request: 13,
} as const;

export const wireFrameHeader = {
  bytes: 8,
  length: 0,
  type: 4,
} as const;

export const wireBackend = {
  kprobeSession: 1,
  kprobeMulti: 2,
  kprobe: 3,
  tracepoint: 4,
  drops: 5,
} as const;

export const wireHello = {
  bytes: 480,
  startMonotonicNs: 0,
  startRealtimeNs: 8,
  attachDurationNs: 16,
  nodeNetnsInode: 24,
  backend: 32,
  cpuCount: 36,
  discoveredFunctions: 40,
  attachedFunctions: 44,
  skippedFunctions: 48,
  skbBytes: 52,
  kernelRelease: 56,
  kernelReleaseBytes: 64,
  hostName: 120,
  hostNameBytes: 64,
  hostId: 184,
  hostIdBytes: 40,
  filter: 224,
  filterBytes: 256,
} as const;

export const wireProbeKind = {
  function: 1,
  tracepoint: 2,
} as const;

export const wireReturnKind = {
  unknown: 0,
  void: 1,
  integer: 2,
  bool: 3,
  verdict: 4,
  pointer: 5,
  unsigned: 6,
  dropReason: 7,
  rxHandler: 8,
  netdevTx: 9,
  gro: 10,
} as const;

export const wireProbe = {
  bytes: 16,
  address: 0,
  index: 8,
  kind: 10,
  argument: 11,
  returnKind: 12,
} as const;

export const wireSymbol = {
  bytes: 16,
  address: 0,
  start: 8,
} as const;

export const wireDropReason = {
  bytes: 8,
  value: 0,
} as const;

export const wireNamespace = {
  bytes: 16,
  inode: 0,
  flags: 8,
} as const;

export const wireMember = {
  bytes: 72,
  netnsCookie: 0,
  observedMonotonicNs: 8,
  startMonotonicNs: 16,
  cgroupId: 24,
  cgroupV1Id: 32,
  netnsInode: 40,
  processId: 44,
  flags: 48,
  processName: 56,
  processNameBytes: 16,
} as const;

export const wireInventoryMethod = {
  none: 0,
  iterator: 1,
  walk: 2,
} as const;

export const wireInventory = {
  bytes: 40,
  startMonotonicNs: 0,
  endMonotonicNs: 8,
  lost: 16,
  method: 24,
  tasks: 28,
  members: 32,
  isLive: 36,
} as const;

export const wireRequestSource = {
  none: 0,
  http1: 1,
  http2: 2,
  tcpOption: 3,
  thread: 4,
  tls: 5,
  helper: 6,
} as const;

export const wireRequest = {
  bytes: 112,
  observedMonotonicNs: 8,
  netnsCookie: 16,
  netnsInode: 24,
  sequence: 28,
  stream: 32,
  processId: 36,
  source: 40,
  sourceBytes: 16,
  destination: 56,
  destinationBytes: 16,
  sourcePort: 72,
  destinationPort: 74,
  ipVersion: 76,
  requestSource: 77,
  traceFlags: 78,
  flags: 79,
  traceId: 80,
  traceIdBytes: 16,
  spanId: 96,
  spanIdBytes: 8,
  length: 104,
  reserved1: 108,
} as const;

export const wireStat = {
  started: 0,
  sent: 1,
  delivered: 2,
  transmitted: 3,
  dropped: 4,
  merged: 5,
  consumed: 6,
  expired: 7,
  notMatched: 8,
  sampledOut: 9,
  rateLimited: 10,
  discarded: 11,
  lostTableFull: 12,
  lostRingFull: 13,
  lostHops: 14,
  lostMissed: 15,
  unreadable: 16,
  hops: 17,
  live: 18,
  lostOutput: 19,
  requests: 20,
  requestsPlain: 21,
  requestsUnread: 22,
  lostRequests: 23,
  notSampled: 24,
  count: 25,
} as const;

export const wireStats = {
  bytes: 208,
  monotonicNs: 0,
  values: 8,
  valuesBytes: 200,
} as const;

export const wireClock = {
  bytes: 16,
  monotonicNs: 0,
  realtimeNs: 8,
} as const;

export const wireMessageLevel = {
  info: 1,
  warning: 2,
} as const;

export const wireMessage = {
  bytes: 8,
  level: 0,
} as const;

export const wireEndCause = {
  requested: 1,
  limit: 2,
  failure: 3,
} as const;

export const wireEnd = {
  bytes: 16,
  monotonicNs: 0,
  cause: 8,
} as const;

export const wireJourneyEnd = {
  unknown: 0,
  delivered: 1,
  transmitted: 2,
  dropped: 3,
  merged: 4,
  consumed: 5,
  expired: 6,
} as const;

export const wireJourney = {
  bytes: 72,
  skb: 0,
  startMonotonicNs: 8,
  endMonotonicNs: 16,
  dropLocation: 24,
  dropReason: 32,
  flags: 36,
  usedUnits: 40,
  lostHops: 42,
  startCpu: 44,
  end: 46,
  threadId: 48,
  processId: 52,
  processName: 56,
  processNameBytes: 16,
} as const;

export const wireHop = {
  bytes: 24,
  enterMonotonicNs: 0,
  leaveMonotonicNs: 8,
  returnValue: 16,
  probe: 20,
  cpu: 22,
} as const;

export const wireStack = {
  bytes: 24,
  observedMonotonicNs: 0,
  frameCount: 16,
  probe: 20,
  cpu: 22,
} as const;

export const wireContext = {
  bytes: 144,
  observedMonotonicNs: 0,
  netnsCookie: 8,
  netnsInode: 16,
  probe: 20,
  cpu: 22,
  interfaceIndex: 24,
  mark: 28,
  length: 32,
  gsoSegments: 36,
  gsoBytes: 38,
  interfaceName: 40,
  interfaceNameBytes: 16,
  source: 56,
  sourceBytes: 16,
  destination: 72,
  destinationBytes: 16,
  sourcePort: 88,
  destinationPort: 90,
  ethertype: 92,
  vlan: 94,
  ipVersion: 96,
  transport: 97,
  ttl: 98,
  trafficClass: 99,
  ipId: 100,
  fragment: 104,
  networkBytes: 106,
  tcpSequence: 108,
  tcpAcknowledgement: 112,
  tcpWindow: 116,
  tcpFlags: 118,
  icmpType: 119,
  icmpCode: 120,
  arpOperation: 121,
  changed: 122,
  icmpId: 124,
  icmpSequence: 126,
  sourceMac: 128,
  sourceMacBytes: 6,
  destinationMac: 134,
  destinationMacBytes: 6,
  atProbe: 140,
  flags: 142,
  transportHeaderBytes: 143,
} as const;
