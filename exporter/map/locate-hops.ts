import type { Context, Hop, Journey } from "../decode/frame.js";
import type { NodeState } from "../enrich/create-node-state.js";
import { formatAddress } from "../enrich/format-address.js";
import type { Identity } from "../enrich/identity.js";
import { attributes } from "./attributes.js";
import type { AttributePool } from "./create-attribute-pool.js";
import type { IdentityShapes, SpanShapes } from "./create-span-shapes.js";
import { type Attribute, type AttributeGroup, createAttribute } from "./packet-span.js";

/** Where a hop took place: the packet's context there, and whose namespace that was. */
export interface Place {
  readonly context: Context | undefined;
  readonly identity: Identity;
  readonly shapes: IdentityShapes;
  /** Attributes of the place; `inProcess` also names the process that sends. */
  readonly group: AttributeGroup;
  readonly groupInProcess: AttributeGroup;
}

/** Finds the place of each hop of a journey. */
export interface PlaceFinder {
  readonly first: Place;
  readonly last: Place;
  /** `index` is the hop's in the journey's record. */
  placeOf(index: number): Place;
}

export function locateHops(
  journey: Journey,
  process: readonly Attribute[],
  state: NodeState,
  shapes: SpanShapes,
  pool: AttributePool,
): PlaceFinder {
  const skbAddress = createAttribute(attributes.skbAddress, formatAddress(journey.skbAddress));
  const makePlace = (context: Context | undefined): Place => {
    const identity = state.identity(context?.netnsInode ?? 0, context?.netnsCookie ?? 0n);
    const own = [skbAddress, ...contextAttributes(context, pool)];
    const group = { attributes: own };
    const groupInProcess = process.length === 0 ? group : { attributes: [...own, ...process] };
    return { context, identity, shapes: shapes.of(identity), group, groupInProcess };
  };
  const places = journey.contexts.length === 0 ? [makePlace(undefined)] : journey.contexts.map(makePlace);
  const first = places[0] as Place;
  const last = places[places.length - 1] as Place;
  if (places.length === 1) return { first, last, placeOf: () => first };
  const byHop = spread(journey, places);
  return { first, last, placeOf: (index) => byHop[index] ?? last };
}

/** A context holds from the hop at which it was observed until the next one. */
function spread(journey: Journey, places: readonly Place[]): Place[] {
  const byHop: Place[] = [];
  let at = 0;
  for (let index = 0; index < journey.hops.length; index++) {
    for (;;) {
      const next = places[at + 1];
      if (!next?.context || !holdsAt(next.context, index, journey.hops[index])) break;
      at++;
    }
    byHop.push(places[at] as Place);
  }
  return byHop;
}

function holdsAt(context: Context, index: number, hop: Hop | undefined): boolean {
  if (context.hopsBefore <= index) return true;
  return context.hopsBefore === index + 1 && context.atProbe === hop?.probe;
}

function contextAttributes(context: Context | undefined, pool: AttributePool): Attribute[] {
  if (!context) return [];
  const list: Attribute[] = [];
  if (context.netnsInode !== 0) list.push(pool.get(attributes.netnsInode, context.netnsInode));
  if (context.interfaceName !== "") list.push(pool.get(attributes.networkInterfaceName, context.interfaceName));
  if (context.interfaceIndex !== 0) list.push(pool.get(attributes.networkInterfaceIndex, context.interfaceIndex));
  list.push(pool.get(attributes.skbLength, context.lengthBytes));
  list.push(pool.get(attributes.skbMark, context.mark));
  return list;
}
