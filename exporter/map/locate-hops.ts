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
    const own = [skbAddress];
    if (context) addContext(own, context, pool);
    const group = { attributes: own };
    const groupInProcess = process.length === 0 ? group : { attributes: own.concat(process) };
    return { context, identity, shapes: shapes.of(identity), group, groupInProcess };
  };
  const { contexts, hops } = journey;
  if (contexts.length === 0) return new Places([makePlace(undefined)], [0]);
  const starts: number[] = [];
  let start = 0;
  for (const context of contexts) {
    if (starts.length > 0) start = Math.max(start, firstHopIn(context, hops));
    starts.push(start);
  }
  return new Places(contexts.map(makePlace), starts);
}

/** A context holds from the hop at which it was observed until the next one. */
function firstHopIn({ hopsBefore, atProbe }: Context, hops: readonly Hop[]): number {
  return hopsBefore > 0 && hops[hopsBefore - 1]?.probe === atProbe ? hopsBefore - 1 : hopsBefore;
}

/** Hops are asked for nearly in order: the search goes on from the place that was found last. */
class Places implements PlaceFinder {
  readonly first: Place;
  readonly last: Place;
  private at = 0;

  /** `starts`: the first hop in each place. */
  constructor(
    private readonly places: readonly Place[],
    private readonly starts: readonly number[],
  ) {
    this.first = places[0] as Place;
    this.last = places[places.length - 1] as Place;
  }

  placeOf(index: number): Place {
    const { places, starts } = this;
    while (this.at + 1 < places.length && (starts[this.at + 1] as number) <= index) this.at++;
    while (this.at > 0 && (starts[this.at] as number) > index) this.at--;
    return places[this.at] as Place;
  }
}

function addContext(list: Attribute[], context: Context, pool: AttributePool): void {
  if (context.netnsInode !== 0) list.push(pool.get(attributes.netnsInode, context.netnsInode));
  if (context.interfaceName !== "") list.push(pool.get(attributes.networkInterfaceName, context.interfaceName));
  if (context.interfaceIndex !== 0) list.push(pool.get(attributes.networkInterfaceIndex, context.interfaceIndex));
  list.push(pool.get(attributes.skbLength, context.lengthBytes));
  list.push(pool.get(attributes.skbMark, context.mark));
}
