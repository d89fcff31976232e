import type { ProbeFrame } from "../decode/frame.js";
import type { Identity } from "../enrich/identity.js";
import { attributes } from "./attributes.js";
import type { AttributePool } from "./create-attribute-pool.js";
import type { Attribute, SpanShape } from "./packet-span.js";

export type HopSource = "probe" | "tracepoint" | "stack";

/** Shapes that exist once: what was stamped before is found again. */
export interface SpanShapes {
  of(identity: Identity): IdentityShapes;
}

/** The shapes of spans in one identity. */
export interface IdentityShapes {
  root(protocol: string | undefined, isFault: boolean): SpanShape;
  wait(name: string, isInferred: boolean): SpanShape;
  /** What a function returned is part of the shape, as functions return few values. */
  hop(
    probe: ProbeFrame | undefined,
    probeIndex: number,
    cpu: number,
    isInferred: boolean,
    returned: ReturnedValue | undefined,
  ): SpanShape;
  stack(functionName: string, cpu: number): SpanShape;
}

/** `hop.return_value` and its number among the values that the probe has returned so far. */
export interface ReturnedValue {
  readonly attribute: Attribute;
  readonly number: number;
}

export const MAX_RETURNED_VALUES = 63;

/** Beyond it all start anew: names from recordings must not fill the memory. */
const MAX_SHAPES = 65_536;
const MAX_PROBES = 65_536;

export function createSpanShapes(pool: AttributePool): SpanShapes {
  const byIdentity = new Map<Identity, IdentityShapes>();
  let count = 0;
  const countShape = (): void => {
    if (++count <= MAX_SHAPES) return;
    byIdentity.clear();
    count = 0;
  };
  return {
    of(identity) {
      let shapes = byIdentity.get(identity);
      if (!shapes) {
        countShape();
        shapes = new ShapesOfIdentity(identity, pool, countShape);
        byIdentity.set(identity, shapes);
      }
      return shapes;
    },
  };
}

class ShapesOfIdentity implements IdentityShapes {
  private readonly identity: Identity;
  private readonly pool: AttributePool;
  private readonly onNew: () => void;
  private readonly hops = new Map<number, SpanShape>();
  private readonly roots = new Map<string, SpanShape>();
  private readonly faultyRoots = new Map<string, SpanShape>();
  private readonly waits = new Map<string, SpanShape>();
  private readonly inferredWaits = new Map<string, SpanShape>();
  private readonly stacks = new Map<string, SpanShape>();

  constructor(identity: Identity, pool: AttributePool, onNew: () => void) {
    this.identity = identity;
    this.pool = pool;
    this.onNew = onNew;
  }

  root(protocol: string | undefined, isFault: boolean): SpanShape {
    return find(isFault ? this.faultyRoots : this.roots, protocol ?? "", () => {
      const words = [...(protocol ? [protocol] : []), "packet", ...(isFault ? ["dropped"] : [])];
      return this.make("root", words.join(" "), []);
    });
  }

  wait(name: string, isInferred: boolean): SpanShape {
    return find(isInferred ? this.inferredWaits : this.waits, name, () => {
      return this.make(
        "wait",
        `wait: ${name}`,
        isInferred ? [this.pool.get(attributes.hopDurationInferred, true)] : [],
      );
    });
  }

  stack(functionName: string, cpu: number): SpanShape {
    return find(this.stacks, `${cpu} ${functionName}`, () => {
      return this.make("hop", functionName, this.hopAttributes(functionName, "", "stack", cpu, true));
    });
  }

  hop(
    probe: ProbeFrame | undefined,
    probeIndex: number,
    cpu: number,
    isInferred: boolean,
    returned: ReturnedValue | undefined,
  ): SpanShape {
    // Small for the numbers that occur: small integers are the cheapest keys.
    const value = returned === undefined ? 0 : returned.number + 1;
    const key = ((cpu * MAX_PROBES + probeIndex) * (MAX_RETURNED_VALUES + 1) + value) * 2 + (isInferred ? 1 : 0);
    const known = this.hops.get(key);
    if (known) return known;
    const name = probe?.name ?? `probe ${probeIndex}`;
    const source = probe?.kind === "tracepoint" ? "tracepoint" : "probe";
    const constants = this.hopAttributes(name, probe?.module ?? "", source, cpu, isInferred);
    if (returned) constants.push(returned.attribute);
    const shape = this.make("hop", name, constants);
    this.hops.set(key, shape);
    return shape;
  }

  private make(kind: SpanShape["kind"], name: string, constants: readonly Attribute[]): SpanShape {
    this.onNew();
    return { kind, name, identity: this.identity, attributes: constants, encoded: undefined };
  }

  private hopAttributes(
    name: string,
    module: string,
    source: HopSource,
    cpu: number,
    isInferred: boolean,
  ): Attribute[] {
    const constants = [
      this.pool.get(attributes.codeFunctionName, name),
      this.pool.get(attributes.cpuLogicalNumber, cpu),
      this.pool.get(attributes.hopSource, source),
    ];
    if (module !== "") constants.push(this.pool.get(attributes.codeModule, module));
    if (isInferred) constants.push(this.pool.get(attributes.hopDurationInferred, true));
    return constants;
  }
}

function find(shapes: Map<string, SpanShape>, key: string, make: () => SpanShape): SpanShape {
  const known = shapes.get(key);
  if (known) return known;
  const shape = make();
  shapes.set(key, shape);
  return shape;
}
