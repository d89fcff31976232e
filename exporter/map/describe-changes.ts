import type { Context } from "../decode/frame.js";
import type { NodeState } from "../enrich/create-node-state.js";
import { wire } from "../wire/layout.js";
import { formatEndpoint, formatEthertype, hasPorts, nameProtocol } from "./describe-packet.js";

/** What a look found different from the look before, as "field: old -> new". */
export function describeChanges(before: Context, after: Context, state: NodeState): string[] {
  const changed: string[] = [];
  const say = (bit: number, field: string, of: (context: Context) => string): void => {
    if (after.changed & bit) changed.push(`${field}: ${of(before)} -> ${of(after)}`);
  };
  say(wire.changedNetns, "namespace", (context) => state.identity(context.netnsInode, context.netnsCookie).label);
  say(wire.changedInterface, "interface", nameInterface);
  say(wire.changedMark, "mark", (context) => `0x${context.mark.toString(16)}`);
  say(wire.changedSource, "source", (context) => {
    return formatEndpoint(context.sourceAddress, context.sourcePort, hasPorts(context));
  });
  say(wire.changedDestination, "destination", (context) => {
    return formatEndpoint(context.destinationAddress, context.destinationPort, hasPorts(context));
  });
  say(wire.changedLength, "length", (context) => String(context.lengthBytes));
  say(wire.changedProtocol, "protocol", (context) => {
    return nameProtocol(context) ?? formatEthertype(context.ethertype);
  });
  say(wire.changedTtl, "ttl", (context) => String(context.ttl));
  return changed;
}

function nameInterface(context: Context): string {
  if (context.interfaceIndex === 0) return "none";
  return context.interfaceName === "" ? `interface ${context.interfaceIndex}` : context.interfaceName;
}
