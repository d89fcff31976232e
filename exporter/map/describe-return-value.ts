import { constants } from "node:os";
import type { NodeState } from "../enrich/create-node-state.js";
import { wireReturnKind } from "../wire/layout.js";

const MAX_ERRNO = 4095;

const verdicts = ["NF_DROP", "NF_ACCEPT", "NF_STOLEN", "NF_QUEUE", "NF_REPEAT", "NF_STOP"];
const rxHandlerResults = ["RX_HANDLER_CONSUMED", "RX_HANDLER_ANOTHER", "RX_HANDLER_EXACT", "RX_HANDLER_PASS"];
const groResults = ["GRO_MERGED", "GRO_MERGED_FREE", "GRO_HELD", "GRO_NORMAL", "GRO_CONSUMED"];
/** Congestion notifications come back through functions that return netdev_tx_t. */
const transmitResults: Readonly<Record<number, string>> = {
  0: "NETDEV_TX_OK",
  1: "NET_XMIT_DROP",
  2: "NET_XMIT_CN",
  16: "NETDEV_TX_BUSY",
};

/** Several names of one number: the one that the kernel's source uses. */
const errnoNames = new Map<number, string>();
for (const [name, number] of Object.entries(constants.errno))
  if (name !== "EWOULDBLOCK" && name !== "EOPNOTSUPP") errnoNames.set(number, name);
errnoNames.set(95, "EOPNOTSUPP");
errnoNames.set(105, "ENOBUFS");
errnoNames.set(512, "ERESTARTSYS");

/** What the function returned in words; undefined when its type says nothing to a person. */
export function describeReturnValue(returnKind: number, value: number, state: NodeState): string | undefined {
  switch (returnKind) {
    case wireReturnKind.integer:
      return describeInteger(value);
    case wireReturnKind.bool:
      return (value & 0xff) === 0 ? "false" : "true";
    case wireReturnKind.verdict:
      return verdicts[value & 0xff] ?? describeInteger(value);
    case wireReturnKind.unsigned:
      return String(value >>> 0);
    case wireReturnKind.dropReason:
      return state.dropReason(value >>> 0);
    case wireReturnKind.rxHandler:
      return rxHandlerResults[value] ?? String(value);
    case wireReturnKind.netdevTx:
      return transmitResults[value] ?? describeInteger(value);
    case wireReturnKind.gro:
      return groResults[value] ?? String(value);
    default:
      return undefined;
  }
}

function describeInteger(value: number): string {
  if (value >= 0 || value < -MAX_ERRNO) return String(value);
  const name = errnoNames.get(-value);
  return name ? `-${name}` : String(value);
}
