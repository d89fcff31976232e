import type { KernelAddress } from "../decode/frame.js";
import type { KernelSymbol, NodeState } from "../enrich/create-node-state.js";

/** A function that the packet was inside of. */
export interface StackFrame {
  readonly symbol: KernelSymbol;
  /** Where it had got to: the return address of its call. */
  readonly address: KernelAddress;
}

/** The machinery of tracing itself, innermost. */
const tracing =
  /^(bpf_|__bpf_|___bpf_|bpf_prog|bpf_trampoline|__traceiter_|trace_event_|__do_trace_|trace_call_bpf|ftrace_|arch_ftrace|fprobe_|rethook_|kprobe_)/;

/** Softirqs, threads, timers, interrupts: frames from here outwards are work for whatever comes, not for this packet. */
const contexts =
  /^(__do_softirq|handle_softirqs|do_softirq|__local_bh_enable_ip|net_rx_action|net_tx_action|__napi_poll|napi_poll|napi_threaded_poll|napi_busy_loop|__napi_busy_loop|process_backlog|backlog_napi|run_ksoftirqd|smpboot_thread_fn|irq_exit|__irq_exit|sysvec_|asm_|common_interrupt|call_timer_fn|__run_timer|run_timer|expire_timers|tasklet_action|workqueue_softirq|process_one_work|worker_thread|kthread|ret_from_fork|task_work_run|exit_to_user_mode|syscall_exit|neigh_timer_handler|neigh_probe)/;
const polls = /_poll$/;

/** System calls and the socket layer's front doors. */
const syscalls =
  /^(do_syscall_64|entry_SYSCALL|x64_sys_call|invoke_syscall|el0_|do_el0_svc|__x64_sys_|__arm64_sys_|__ia32_sys_|__do_sys_|__se_sys_|__sys_|___sys_|ksys_|sock_sendmsg|__sock_sendmsg|sock_recvmsg|sock_write_iter|sock_read_iter|vfs_|new_sync_|io_|__io_|__fput|____fput|sock_close)/;

/** Work on a packet that came in. In the stacks of a packet that this machine answers with, they hold that other packet. */
const receivers =
  /^(__netif_receive_skb|netif_receive_skb|ip_rcv|ip_list_rcv|ip_sublist_rcv|ip_local_deliver|ip_protocol_deliver_rcu|ip_forward|ip_error|ipv6_rcv|ip6_rcv|ip6_input|ip6_protocol_deliver_rcu|ip6_forward|tcp_v[46]_|tcp_rcv_|tcp_data_queue|tcp_ack$|tcp_child_process|__udp[46]_lib_rcv|udp_unicast_rcv_skb|udp_queue_rcv|icmp_rcv|icmpv6_rcv|icmp_echo|arp_rcv|arp_process|ndisc_rcv|br_handle_frame|br_nf_)/;
/** Of those, the ones that make the answer: they hold the new packet. */
const answerers = /^tcp_v[46]_(send_|connect|reqsk_send|timewait_ack|mtu_|syn_recv)/;

/** Neighbour discovery's work on an answer, which lets go of the packets that waited for it. */
const neighbours = /^(arp_process|arp_rcv|ndisc_rcv|ndisc_recv|neigh_event_ns)/;
/** Functions that only let go of the packet: the moment of that is a hop of its own. */
const freers =
  /^(__)?(kfree_skb|consume_skb|sk_skb_reason_drop|skb_release_|napi_consume_skb|kfree_skbmem|dev_kfree_skb)/;
const interrupts =
  /^(__do_softirq|handle_softirqs|do_softirq|net_rx_action|__irq_exit|irq_exit|common_interrupt|sysvec_|call_timer_fn)/;

/** What kind of packet a stack is about. */
export interface StackSubject {
  /** It was made on this machine and has not been received yet: receiving functions hold another packet. */
  readonly isSending: boolean;
  /** It is ARP or neighbour discovery itself. */
  readonly isNeighbourDiscovery: boolean;
}

function isBoundary(name: string, subject: StackSubject): boolean {
  if (contexts.test(name) || syscalls.test(name) || polls.test(name)) return true;
  if (!subject.isNeighbourDiscovery && neighbours.test(name)) return true;
  return subject.isSending && receivers.test(name) && !answerers.test(name);
}

/**
 * The functions that hold the packet, outermost first: the stack without the tracer's own frames, and cut where it stops
 * being about this packet. Frames without a symbol are left out.
 */
export function trimStack(addresses: readonly KernelAddress[], state: NodeState, subject: StackSubject): StackFrame[] {
  const frames: StackFrame[] = [];
  for (const address of addresses) {
    const symbol = state.symbol(address);
    if (!symbol) continue;
    if (frames.length === 0 && (tracing.test(symbol.name) || freers.test(symbol.name))) continue;
    if (isBoundary(symbol.name, subject)) break;
    frames.push({ symbol, address });
  }
  return frames.reverse();
}

/** Whether the stack is that of an interrupt or a softirq: the process that runs there has nothing to do with the packet. */
export function isInterruptStack(addresses: readonly KernelAddress[], state: NodeState): boolean {
  return addresses.some((address) => interrupts.test(state.symbol(address)?.name ?? ""));
}

/** A stack as the kernel would print it: without the frames of the tracer's own program, which has no symbol. */
export function withoutTracer(addresses: readonly KernelAddress[], state: NodeState): readonly KernelAddress[] {
  const first = addresses.findIndex((address) => {
    const symbol = state.symbol(address);
    return symbol !== undefined && !tracing.test(symbol.name);
  });
  return addresses.slice(Math.max(first, 0));
}
