import { SocketAddress } from "node:net";
import type { FarEnd, FarEnds } from "../enrich/far-end.js";
import type { ApiClient } from "./api-client.js";
import {
  type ApiItem,
  createWatchCounts,
  type WatchCounts,
  type WatchHealth,
  type WatchListener,
  type WatchOptions,
  type WatchTiming,
  watchObjects,
} from "./watch-objects.js";

export interface AddressBookOptions {
  readonly client: ApiClient;
  /** `cluster`: all pods too. */
  readonly extent: "services" | "cluster";
  readonly onHealth?: (what: string, health: WatchHealth) => void;
  readonly timing?: WatchTiming;
}

export interface AddressBookStats extends Readonly<WatchCounts> {
  readonly health: WatchHealth;
  readonly addresses: number;
  readonly addressesLeftOut: number;
}

export interface AddressBook extends FarEnds {
  /** Of each watch, by what it reads: "services", "endpointslices", "pods". */
  stats(): ReadonlyMap<string, AddressBookStats>;
  close(): Promise<void>;
}

/** The largest clusters have 150,000 pods: at 200 bytes an address this is 50 MB, and nobody has to ask for it. */
const MAX_ADDRESSES = 262_144;

interface Source {
  readonly name: string;
  readonly path: string;
  readonly form: WatchOptions["form"];
  readonly query?: Readonly<Record<string, string>>;
  readonly read: (item: ApiItem) => readonly Entry[];
}

/** Whose `key`, an address or an address and a port, is. */
interface Entry {
  readonly key: string;
  readonly owner: FarEnd;
}

const services: Source = { name: "services", path: "/api/v1/services", form: "whole", read: readService };
const endpointSlices: Source = {
  name: "endpointslices",
  path: "/apis/discovery.k8s.io/v1/endpointslices",
  form: "whole",
  read: readEndpointSlice,
};
const clusterPods: Source = {
  name: "pods",
  path: "/api/v1/pods",
  form: "table",
  // A pod without a network namespace of its own has its node's address, which is not the pod's alone.
  query: { fieldSelector: "spec.hostNetwork=false,status.phase!=Succeeded,status.phase!=Failed" },
  read: readPodAddress,
};

/** Follows the cluster's Services and what is behind them, and its pods when asked: costs the API server a watch of each an agent. */
export function createAddressBook(options: AddressBookOptions): AddressBook {
  const sources = options.extent === "cluster" ? [services, endpointSlices, clusterPods] : [services, endpointSlices];
  const stopping = new AbortController();
  const indexes = sources.map((source) => new AddressIndex(source, options, stopping.signal));
  return {
    find(address, port) {
      for (const index of indexes) {
        const owner = index.find(address, port);
        if (owner) return owner;
      }
      return undefined;
    },
    stats: () => new Map(indexes.map((index) => [index.name, index.stats()])),
    async close() {
      stopping.abort();
      await Promise.all(indexes.map(({ watching }) => watching));
    },
  };
}

class AddressIndex implements WatchListener {
  readonly name: string;
  readonly watching: Promise<void>;
  private readonly counts = createWatchCounts();
  /** By object, what it was read to own. */
  private readonly entries = new Map<string, readonly Entry[]>();
  /** By key: several objects may say the same, or contradict each other. */
  private readonly owners = new Map<string, FarEnd[]>();
  private addressesLeftOut = 0;
  private health: WatchHealth = { state: "starting", isRefused: false };

  constructor(
    private readonly source: Source,
    private readonly options: AddressBookOptions,
    signal: AbortSignal,
  ) {
    this.name = source.name;
    const { name: _, read: __, ...what } = source;
    const timing = options.timing ? { timing: options.timing } : {};
    this.watching = watchObjects({ client: options.client, listener: this, signal, ...what, ...timing }, this.counts);
  }

  find(address: string, port: number | undefined): FarEnd | undefined {
    return this.only(address) ?? (port === undefined ? undefined : this.only(keyOf(address, port)));
  }

  stats(): AddressBookStats {
    const { counts, health, owners, addressesLeftOut } = this;
    return { ...counts, health, addresses: owners.size, addressesLeftOut };
  }

  replace(items: readonly ApiItem[]): void {
    this.entries.clear();
    this.owners.clear();
    for (const item of items) this.put(item);
  }

  put(item: ApiItem): void {
    const uid = item.object.metadata?.uid;
    if (!uid) return;
    this.forget(uid);
    const taken: Entry[] = [];
    for (const entry of this.source.read(item)) {
      const known = this.owners.get(entry.key);
      if (known) known.push(entry.owner);
      else if (this.owners.size < MAX_ADDRESSES) this.owners.set(entry.key, [entry.owner]);
      else this.addressesLeftOut++;
      if (known || this.owners.has(entry.key)) taken.push(entry);
    }
    if (taken.length > 0) this.entries.set(uid, taken);
  }

  delete({ object }: ApiItem): void {
    this.forget(object.metadata?.uid ?? "");
  }

  onHealth(health: WatchHealth): void {
    this.health = health;
    this.options.onHealth?.(this.source.name, health);
  }

  /** Owners that contradict each other are none. */
  private only(key: string): FarEnd | undefined {
    const [first, ...others] = this.owners.get(key) ?? [];
    const isSame = ({ namespace, pod, service }: FarEnd) =>
      namespace === first?.namespace && pod === first.pod && service === first.service;
    return others.every(isSame) ? first : undefined;
  }

  private forget(uid: string): void {
    for (const { key, owner } of this.entries.get(uid) ?? []) {
      const left = this.owners.get(key)?.filter((other) => other !== owner) ?? [];
      if (left.length > 0) this.owners.set(key, left);
      else this.owners.delete(key);
    }
    this.entries.delete(uid);
  }
}

function readService({ object }: ApiItem): readonly Entry[] {
  const { metadata, spec } = object as typeof object & { readonly spec?: { readonly clusterIPs?: readonly unknown[] } };
  if (!metadata?.name || !metadata.namespace) return [];
  const owner = { namespace: metadata.namespace, service: metadata.name };
  return (spec?.clusterIPs ?? []).flatMap((address) => keyOfAddress(address).map((key) => ({ key, owner })));
}

interface EndpointSlice {
  readonly endpoints?: readonly {
    readonly addresses?: readonly unknown[];
    readonly targetRef?: { readonly kind?: string; readonly name?: string; readonly namespace?: string };
  }[];
  readonly ports?: readonly { readonly port?: number }[];
}

/** Together with the port: a pod in its node's own network namespace is not all that the address is. */
function readEndpointSlice({ object }: ApiItem): readonly Entry[] {
  const { endpoints = [], ports = [] } = object as EndpointSlice;
  const entries: Entry[] = [];
  for (const { addresses = [], targetRef } of endpoints) {
    if (targetRef?.kind !== "Pod" || !targetRef.name || !targetRef.namespace) continue;
    const owner = { namespace: targetRef.namespace, pod: targetRef.name };
    for (const address of addresses.flatMap(keyOfAddress))
      for (const { port } of ports) if (port !== undefined) entries.push({ key: keyOf(address, port), owner });
  }
  return entries;
}

function readPodAddress({ object: { metadata }, columns }: ApiItem): readonly Entry[] {
  if (!metadata?.name || !metadata.namespace) return [];
  const owner = { namespace: metadata.namespace, pod: metadata.name };
  return keyOfAddress(columns.get("IP")).map((key) => ({ key, owner }));
}

function keyOf(address: string, port: number): string {
  return `${address} ${port}`;
}

/** An address as the kernel's are written here; none when it is not one (`None`, `<none>`). */
function keyOfAddress(value: unknown): string[] {
  if (typeof value !== "string") return [];
  if (/^\d+\.\d+\.\d+\.\d+$/.test(value)) return [value];
  try {
    return [new SocketAddress({ address: value, family: "ipv6" }).address];
  } catch {
    return [];
  }
}
