/** What a drop means to a person. */
export interface DropVerdict {
  /** False: the protocol discards such a packet by design, or the kernel was cleaning up. */
  readonly isFault: boolean;
  /** One sentence; undefined when nothing more can be said than the reason. */
  readonly meaning?: string;
  /** What to look at or to do next. */
  readonly advice?: string;
}

interface Row extends DropVerdict {
  readonly reason: string;
  /** The function that dropped; absent: any. Rows with one stand before the row without. */
  readonly at?: string;
}

const fault = (reason: string, meaning: string, advice: string, at?: string): Row => {
  return { reason, isFault: true, meaning, advice, ...(at ? { at } : {}) };
};
const benign = (reason: string, meaning: string, at?: string): Row => {
  return { reason, isFault: false, meaning, ...(at ? { at } : {}) };
};

const NOT_JOINED = "Multicast to a group that nobody here has joined";

/** By reason, as the kernel names it without `SKB_DROP_REASON_`, and where needed by the function that dropped. */
const rows: readonly Row[] = [
  benign("CONSUMED", "The packet was used up as planned"),
  benign("NOT_DROPPED_YET", "The packet was used up as planned"),
  benign("QUEUE_PURGE", "A queue was emptied, as when its socket is closed"),
  benign("SOCKET_CLOSE", "Its socket was closed"),
  benign("TCP_CLOSE", "Its TCP connection was already closed"),
  benign("TCP_OLD_DATA", "TCP already had this data: a retransmission that was not needed, or a probe"),
  benign(
    "TCP_OLD_SEQUENCE",
    "TCP already had this sequence: a keep-alive, a window probe or a needless retransmission",
  ),
  benign("TCP_OLD_ACK", "TCP already had this acknowledgement"),
  benign("TCP_OFOMERGE", "TCP already had this data in its out-of-order queue"),
  benign("SOCKET_FILTER", "A socket's own filter, as of a packet capture, did not want it"),
  benign("UNHANDLED_PROTO", "No protocol of this machine takes this kind of frame"),
  benign("UNIX_DISCONNECT", "A Unix socket was disconnected"),
  benign("UNIX_SKIP_OOB", "A Unix socket skipped out-of-band data"),
  benign("NO_SOCKET", "A raw socket had taken the echo reply already", "ping_rcv"),
  benign("NO_SOCKET", "A raw socket had taken the echo reply already", "icmpv6_rcv"),
  // Seen on 6.1: icmpv6_rcv() calls kfree_skb() for all but echo requests, neighbour discovery included.
  benign("NOT_SPECIFIED", "Handled: this kernel lets go of ICMPv6 messages as if it dropped them", "icmpv6_rcv"),
  benign("NOT_SPECIFIED", NOT_JOINED, "ip6_mc_input"),
  benign("NOT_SPECIFIED", "Constant traffic between a virtual machine and its host", "virtio_transport_recv_pkt"),
  benign("NOT_SPECIFIED", "TCP answered for a connection in time wait, or had this SYN already", "tcp_v4_rcv"),
  benign("NOT_SPECIFIED", "TCP answered for a connection in time wait, or had this SYN already", "tcp_v6_rcv"),
  fault(
    "NETFILTER_DROP",
    "A firewall rule or a chain's policy (nftables, iptables-nft) dropped it",
    "Look for the rule: `nft list ruleset` in the namespace of this hop. On a Kubernetes node it is often a NetworkPolicy.",
    "nft_do_chain",
  ),
  fault(
    "NETFILTER_DROP",
    "A netfilter hook (iptables-legacy, conntrack, IPVS) dropped it",
    "Look for the rule: `iptables-legacy-save` in the namespace of this hop. Without one, see whether the conntrack table is full: `sysctl net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max`.",
  ),
  fault(
    "NO_SOCKET",
    "Nothing listens on the destination port",
    "Check that the service runs, on this port, and on this address rather than on 127.0.0.1 only.",
  ),
  fault(
    "IP_RPFILTER",
    "Reverse-path filtering: a reply to this source address would leave by another interface than it came in by",
    "Compare `ip route get SOURCE` with the interface it came in by. Add a route or an `ip rule from` for it, or set net.ipv4.conf.INTERFACE.rp_filter=2.",
  ),
  fault(
    "SOCKET_RCVBUFF",
    "The socket's receive buffer is full: its application reads too slowly",
    "Raise SO_RCVBUF (net.core.rmem_max), or make the application read faster.",
  ),
  fault(
    "SOCKET_BACKLOG",
    "The socket's backlog is full: its application holds the socket too long",
    "Look at the application's load; raise SO_RCVBUF (net.core.rmem_max).",
  ),
  fault(
    "TCP_LISTEN_OVERFLOW",
    "The listening socket's accept queue is full",
    "The application does not accept() fast enough: raise its listen() backlog and net.core.somaxconn in its namespace.",
  ),
  fault(
    "PROTO_MEM",
    "The protocol's memory is used up",
    "Look at net.ipv4.tcp_mem or udp_mem, and at `cat /proc/net/sockstat`.",
  ),
  fault(
    "IP_INNOROUTES",
    "There is no route to the destination",
    "`ip route get DESTINATION` in the namespace of this hop; add the route that is missing.",
  ),
  fault(
    "IP_OUTNOROUTES",
    "There is no route to the destination",
    "`ip route get DESTINATION` in the namespace of this hop; add the route that is missing.",
  ),
  fault(
    "IP_INADDRERRORS",
    "It is not for this machine, and the machine does not forward on this interface",
    "Set net.ipv4.conf.INTERFACE.forwarding=1 (or net.ipv4.ip_forward=1) if this machine is to be a router.",
  ),
  fault(
    "IP_INHDR",
    "Its time to live was used up: a routing loop, or a traceroute",
    "Compare the routes of the hops that it crossed; two of them may send it to each other.",
    "ip_forward",
  ),
  fault("IP_INHDR", "Its IP header is invalid", "Look at the sender; capture the packet before this hop."),
  fault(
    "PKT_TOO_BIG",
    "It is larger than the next link's MTU and must not be fragmented",
    'Lower the sender\'s MTU or let ICMP "fragmentation needed" through to it.',
  ),
  fault(
    "NOT_SPECIFIED",
    "A route or a rule forbids it, or the kernel has no way to the destination (prohibit, blackhole, unreachable)",
    "`ip rule`, and `ip route get DESTINATION from SOURCE iif INTERFACE` in the namespace of this hop.",
    "ip_error",
  ),
  fault(
    "NOT_SPECIFIED",
    "It is larger than the link's MTU and must not be fragmented (a tunnel's outer packet, for instance)",
    "Lower the MTU inside the tunnel by the tunnel's overhead.",
    "ip_fragment",
  ),
  fault(
    "NOT_SPECIFIED",
    "An XDP program dropped it",
    "`bpftool net` shows the program on this interface.",
    "veth_xdp_rcv_skb",
  ),
  fault(
    "NOT_SPECIFIED",
    "An XDP program dropped it",
    "`bpftool net` shows the program on this interface.",
    "do_xdp_generic",
  ),
  fault(
    "NOT_SPECIFIED",
    "A bridge port refuses it (locked port, or its state does not forward)",
    "`bridge -d link` and `bridge fdb` in the namespace of this hop.",
    "br_handle_frame_finish",
  ),
  fault(
    "NEIGH_FAILED",
    "Nobody answered ARP or neighbour discovery for the next hop",
    "`ip neigh` in the namespace of this hop: is the next hop up, on this link, and allowed to answer?",
  ),
  fault(
    "NOT_SPECIFIED",
    "Nobody answered ARP for the next hop",
    "`ip neigh` in the namespace of this hop.",
    "arp_error_report",
  ),
  fault(
    "NEIGH_QUEUEFULL",
    "Too many packets wait for an answer to ARP or neighbour discovery",
    "`ip neigh`: the next hop does not answer. Else raise net.ipv4.neigh.INTERFACE.unres_qlen_bytes.",
  ),
  fault("NEIGH_CREATEFAIL", "The neighbour table is full", "Raise net.ipv4.neigh.default.gc_thresh3."),
  fault("NEIGH_DEAD", "The entry of the next hop was being deleted", "`ip neigh`, and who changes it."),
  fault(
    "OTHERHOST",
    "Its destination MAC address is not this interface's",
    "The sender's ARP entry is stale or static: `ip neigh` at the sender.",
  ),
  fault(
    "TCP_CSUM",
    "Its TCP checksum is wrong",
    "If only on a tunnel: `ethtool -K INTERFACE tx-checksum-ip-generic off` at the sender.",
  ),
  fault(
    "UDP_CSUM",
    "Its UDP checksum is wrong",
    "If only on a tunnel: `ethtool -K INTERFACE tx-checksum-ip-generic off` at the sender.",
  ),
  fault(
    "IP_CSUM",
    "Its IP checksum is wrong",
    "Look at the sender's hardware and at what rewrites the packet on the way.",
  ),
  fault(
    "PKT_TOO_SMALL",
    "It is shorter than its header says",
    "Look at the sender and at what rewrites the packet on the way.",
  ),
  fault(
    "QDISC_DROP",
    "The interface's queue is full or shaped",
    "`tc -s qdisc show dev INTERFACE` in the namespace of this hop.",
  ),
  fault(
    "QDISC_OVERLIMIT",
    "The interface's queue is full",
    "`tc -s qdisc show dev INTERFACE` in the namespace of this hop.",
  ),
  fault(
    "QDISC_CONGESTED",
    "The queueing discipline signals congestion",
    "`tc -s qdisc show dev INTERFACE` in the namespace of this hop.",
  ),
  fault(
    "FULL_RING",
    "The device's ring is full",
    "The receiver of this device is too slow: `ip -s link show INTERFACE`.",
  ),
  fault("CPU_BACKLOG", "The CPU's backlog is full", "Raise net.core.netdev_max_backlog, or spread the load over CPUs."),
  fault("XDP", "An XDP program dropped it", "`bpftool net` shows the program on this interface."),
  fault("TC_INGRESS", "A tc program or filter dropped it", "`tc filter show dev INTERFACE ingress`; `bpftool net`."),
  fault("TC_EGRESS", "A tc program or filter dropped it", "`tc filter show dev INTERFACE egress`; `bpftool net`."),
  fault("BPF_CGROUP_EGRESS", "A BPF program of the sender's cgroup dropped it", "`bpftool cgroup tree`."),
  fault("IPV6DISABLED", "IPv6 is disabled on this interface", "net.ipv6.conf.INTERFACE.disable_ipv6."),
  fault(
    "IP_LOCALNET",
    "A loopback address came in from outside",
    "net.ipv4.conf.INTERFACE.route_localnet, and who sends it.",
  ),
  fault(
    "IP_LOCAL_SOURCE",
    "Its source is an address of this machine itself",
    "A duplicate address, or a loop on the link.",
  ),
  fault("IP_INVALID_SOURCE", "Its source address is not valid for a sender", "Look at the sender's address."),
  fault("IP_INVALID_DEST", "Its destination address is not valid", "Look at the sender's destination."),
  fault("ICMP_CSUM", "Its ICMP checksum is wrong", "Look at what rewrites the packet on the way."),
  fault(
    "TCP_INVALID_SEQUENCE",
    "Its sequence is outside of the TCP window",
    "Late or duplicated packets, or something rewrites sequences.",
  ),
  fault(
    "TCP_RFC7323_PAWS",
    "Its TCP timestamp is older than one seen before",
    "Several hosts behind one address with unsynchronised timestamps?",
  ),
  fault("TCP_INVALID_SYN", "A SYN inside of an open connection", "The peer restarted, or an address is used twice."),
  fault("TCP_OVERWINDOW", "It goes beyond the TCP receive window", "The receiver's application reads too slowly."),
  fault("TCP_ZEROWINDOW", "The TCP receive window is closed", "The receiver's application reads too slowly."),
  fault("TCP_RESET", "The connection was reset", "Look at who sent the RST, and why."),
  fault(
    "TCP_FLAGS",
    "Its TCP flags make no sense in this state",
    "Look at the sender, and for something between that rewrites TCP.",
  ),
  fault(
    "FRAG_REASM_TIMEOUT",
    "Not all of its fragments came in time",
    "Fragments are lost or filtered on the way: lower the MTU to avoid them.",
  ),
  fault("FRAG_TOO_FAR", "Too many other packets came before its fragments did", "Lower the MTU to avoid fragments."),
  fault(
    "NOMEM",
    "The kernel had no memory for it",
    "Look at the machine's memory: `dmesg`, net.core.rmem_max, cgroup limits.",
  ),
  fault("SECURITY_HOOK", "A security module (SELinux, AppArmor, Smack) refused it", "Look at its audit log."),
  fault("XFRM_POLICY", "IPsec policy refused it", "`ip xfrm policy` and `ip xfrm state`; /proc/net/xfrm_stat."),
  fault(
    "UNICAST_IN_L2_MULTICAST",
    "A unicast packet in a broadcast frame",
    "Look at the sender's or a switch's flooding.",
  ),
  fault("MAC_INVALID_SOURCE", "Its source MAC address is invalid", "Look at the sender."),
  fault(
    "VXLAN_VNI_NOT_FOUND",
    "No interface of this node has its VXLAN number",
    "`ip -d link show type vxlan` on both nodes.",
  ),
  fault(
    "TUNNEL_TXINFO",
    "The tunnel has no destination for it",
    "Look at the tunnel's configuration and forwarding entries: `bridge fdb`.",
  ),
];

const unknownFault: DropVerdict = { isFault: true };

const byReason = new Map<string, readonly Row[]>();
for (const row of rows) byReason.set(row.reason, [...(byReason.get(row.reason) ?? []), row]);

/** An IPv4 or IPv6 address as text. */
const multicast = /^(22[4-9]|23\d)\.|^ff[0-9a-f]{2}:/;

/**
 * `reason` without its prefix; `dropFunction` is the function that dropped, empty when unknown; `destination` is the address that
 * the packet had in the end, empty when unknown.
 */
export function judgeDrop(reason: string, dropFunction: string, destination = ""): DropVerdict {
  // The route of a packet to a group that was not joined is an error, for which the kernel has no reason of its own.
  if (reason === "NOT_SPECIFIED" && dropFunction === "ip_rcv_finish_core" && multicast.test(destination))
    return { isFault: false, meaning: NOT_JOINED };
  const candidates = byReason.get(reason);
  if (!candidates) return unknownFault;
  return (
    candidates.find((row) => row.at !== undefined && row.at === dropFunction) ??
    candidates.find((row) => row.at === undefined) ??
    unknownFault
  );
}
