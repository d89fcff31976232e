import type { Context } from "../decode/frame.js";

export const ETHERTYPE_ARP = 0x0806;

/** IP protocol numbers with a name that people use. */
const transports: Readonly<Record<number, string>> = {
  1: "icmp",
  2: "igmp",
  4: "ipip",
  6: "tcp",
  17: "udp",
  33: "dccp",
  41: "ipv6-in-ip",
  47: "gre",
  50: "esp",
  51: "ah",
  58: "icmpv6",
  89: "ospf",
  103: "pim",
  112: "vrrp",
  132: "sctp",
  136: "udplite",
};

const tcpFlagNames = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"] as const;

/** "tcp", "protocol 254"; undefined when it is no IP packet or could not be read. */
export function nameTransport(context: Context | undefined): string | undefined {
  if (!context?.hasNetwork || context.ipVersion === 0) return undefined;
  return transports[context.transport] ?? `protocol ${context.transport}`;
}

/** What the root span's name begins with: "tcp", "arp", or nothing. */
export function nameProtocol(context: Context | undefined): string | undefined {
  if (context?.hasNetwork && context.ethertype === ETHERTYPE_ARP) return "arp";
  return nameTransport(context);
}

/** "ipv4", "ipv6", "arp", or undefined. */
export function nameNetwork(context: Context | undefined): string | undefined {
  if (!context?.hasNetwork) return undefined;
  if (context.ethertype === ETHERTYPE_ARP) return "arp";
  return context.ipVersion === 4 ? "ipv4" : context.ipVersion === 6 ? "ipv6" : undefined;
}

const tcpFlagTexts = Array.from({ length: 1 << tcpFlagNames.length }, (_, flags) =>
  tcpFlagNames.filter((_, bit) => (flags & (1 << bit)) !== 0).join(","),
);

/** "SYN,ACK". */
export function nameTcpFlags(flags: number): string {
  return tcpFlagTexts[flags & 0xff] ?? "";
}

const ethertypeTexts = new Map<number, string>();

/** "0x0800". */
export function formatEthertype(ethertype: number): string {
  let text = ethertypeTexts.get(ethertype);
  if (text === undefined) {
    text = `0x${ethertype.toString(16).padStart(4, "0")}`;
    ethertypeTexts.set(ethertype, text);
  }
  return text;
}

/** "10.0.0.1:80", "[fd00::1]:80", or the address alone where there are no ports. */
export function formatEndpoint(address: string, port: number, hasPort: boolean): string {
  if (!hasPort) return address;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

export function hasPorts(context: Context): boolean {
  const { hasTransport, transport } = context;
  return (
    hasTransport && (transport === 6 || transport === 17 || transport === 132 || transport === 33 || transport === 136)
  );
}
