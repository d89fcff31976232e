/**
 * Queues in which a packet waits between two hops: who puts it in and who takes it out. Names are those of functions
 * and of tracepoints. `*` at the start or end of a name stands for anything.
 */
export interface Queue {
  readonly name: string;
  readonly putBy: readonly string[];
  readonly takenBy: readonly string[];
  /** Of those, the ones that can only work for another context, also within a call of the putter. */
  readonly alwaysTakenBy?: readonly string[];
  /**
   * Whether the taker always works for another context than the putter. Otherwise it can be the same call chain
   * handing the packet on at once, which is no wait.
   */
  readonly isHandover: boolean;
}

export const queues: readonly Queue[] = [
  {
    name: "backlog",
    putBy: [
      "enqueue_to_backlog",
      "netif_rx_internal",
      "netif_rx",
      "__netif_rx",
      "dev_forward_skb",
      "veth_xmit",
      "loopback_xmit",
    ],
    takenBy: [
      "__netif_receive_skb",
      "__netif_receive_skb_one_core",
      "__netif_receive_skb_core",
      "__netif_receive_skb_list_core",
      "netif_receive_skb",
      "netif_receive_skb_internal",
      "netif_receive_skb_list_internal",
      "napi_gro_receive",
      "gro_receive_skb",
      "napi_gro_receive_entry",
      "netif_receive_skb_entry",
      "veth_xdp_rcv_skb",
    ],
    isHandover: true,
  },
  {
    name: "socket receive queue",
    putBy: [
      "sock_queue_rcv_skb",
      "sock_queue_rcv_skb_reason",
      "__sock_queue_rcv_skb",
      "__udp_enqueue_schedule_skb",
      "__udp_queue_rcv_skb",
      "udp_queue_rcv_one_skb",
      "udpv6_queue_rcv_one_skb",
      "tcp_data_queue",
      "tcp_queue_rcv",
      "tcp_data_queue_ofo",
      "tcp_rcv_established",
    ],
    takenBy: [
      "skb_copy_datagram_iter",
      "skb_copy_and_csum_datagram_msg",
      "skb_copy_datagram_iovec",
      "__skb_datagram_iter",
      "skb_consume_udp",
      "__skb_try_recv_from_queue",
      "__skb_recv_udp",
      "tcp_eat_recv_skb",
      "skb_splice_bits",
      "skb_attempt_defer_free",
    ],
    isHandover: true,
  },
  {
    name: "socket backlog",
    putBy: ["tcp_add_backlog", "sk_add_backlog", "__sk_add_backlog"],
    takenBy: ["tcp_v4_do_rcv", "tcp_v6_do_rcv", "__sk_backlog_rcv", "sk_backlog_rcv", "udp_backlog_rcv"],
    isHandover: true,
  },
  {
    name: "qdisc",
    putBy: ["dev_qdisc_enqueue", "*_enqueue", "*_qdisc_enqueue", "qdisc_enqueue"],
    takenBy: [
      "sch_direct_xmit",
      "validate_xmit_skb_list",
      "validate_xmit_skb",
      "dev_hard_start_xmit",
      "net_dev_start_xmit",
      "qdisc_dequeue",
    ],
    isHandover: false,
  },
  {
    name: "neighbour queue",
    putBy: ["neigh_resolve_output", "__neigh_event_send", "neigh_event_send"],
    takenBy: ["neigh_connected_output", "neigh_resolve_output", "dev_queue_xmit", "__dev_queue_xmit", "net_dev_queue"],
    // An answer can come while the question is still being sent, on the same CPU.
    alwaysTakenBy: ["neigh_connected_output", "neigh_resolve_output"],
    isHandover: false,
  },
];

const placeOf = (name: string): number => queues.findIndex((queue) => queue.name === name);
export const SOCKET_QUEUE = placeOf("socket receive queue");
export const NEIGHBOUR_QUEUE = placeOf("neighbour queue");

/** Where the packet begins to be worked on for whoever receives it, whatever ran before on the same CPU. */
const receivers = new Set(queues[0]?.takenBy ?? []);

export interface ProbeRole {
  /** Places in `queues`, -1: none. */
  readonly putsInto: number;
  readonly takesFrom: readonly number[];
  readonly alwaysTakesFrom: readonly number[];
  readonly isReceiver: boolean;
}

const roles = new Map<string, ProbeRole>();
const MAX_ROLES = 16_384;

/** What the function does with queues. */
export function findProbeRole(name: string): ProbeRole {
  let role = roles.get(name);
  if (!role) {
    if (roles.size >= MAX_ROLES) roles.clear();
    role = workOutRole(name);
    roles.set(name, role);
  }
  return role;
}

function workOutRole(name: string): ProbeRole {
  const takesFrom: number[] = [];
  queues.forEach((queue, index) => {
    if (queue.takenBy.some((pattern) => matches(pattern, name))) takesFrom.push(index);
  });
  return {
    putsInto: queues.findIndex((queue) => queue.putBy.some((pattern) => matches(pattern, name))),
    takesFrom,
    alwaysTakesFrom: takesFrom.filter((index) => queues[index]?.alwaysTakenBy?.includes(name)),
    isReceiver: receivers.has(name),
  };
}

function matches(pattern: string, name: string): boolean {
  return pattern.startsWith("*") ? name.endsWith(pattern.slice(1)) : pattern === name;
}
