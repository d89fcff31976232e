import type { Scenario } from "../scenario.js";
import { arpFailure } from "./arp-failure.js";
import { forwardingDisabled } from "./forwarding-disabled.js";
import { fragmentation } from "./fragmentation.js";
import { iptablesDrop } from "./iptables-drop.js";
import { iptablesLegacyDrop } from "./iptables-legacy-drop.js";
import { ipv6Neighbour } from "./ipv6-neighbour.js";
import { largeTcpSend } from "./large-tcp-send.js";
import { nftablesDrop } from "./nftables-drop.js";
import { noRoute } from "./no-route.js";
import { reversePathFilter } from "./reverse-path-filter.js";
import { tcpNoListener } from "./tcp-no-listener.js";
import { tcpRequest } from "./tcp-request.js";
import { ttlExceeded } from "./ttl-exceeded.js";
import { udpNoListener } from "./udp-no-listener.js";
import { udpReceiveBuffer } from "./udp-receive-buffer.js";

export const scenarios: readonly Scenario[] = [
  tcpRequest,
  nftablesDrop,
  iptablesDrop,
  iptablesLegacyDrop,
  tcpNoListener,
  udpNoListener,
  ttlExceeded,
  reversePathFilter,
  udpReceiveBuffer,
  noRoute,
  forwardingDisabled,
  arpFailure,
  ipv6Neighbour,
  fragmentation,
  largeTcpSend,
];
