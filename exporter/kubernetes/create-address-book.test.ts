import assert from "node:assert/strict";
import { test } from "node:test";
import { poll } from "../../test/backends/lib/poll.js";
import { answerEvents, startWatchedApi } from "../../test/lib/start-scripted-api.js";
import { type AddressBook, createAddressBook } from "./create-address-book.js";

const object = (name: string, rest: object) => ({
  metadata: { name, namespace: "shop", uid: `uid-${name}`, resourceVersion: "1" },
  ...rest,
});
const slice = (name: string, port: number, ends: readonly [address: string, pod: string][]) =>
  object(name, {
    ports: [{ port }],
    endpoints: ends.map(([address, pod]) => ({
      addresses: [address],
      targetRef: { kind: "Pod", name: pod, namespace: "shop" },
    })),
  });

async function withBook(
  lists: Readonly<Record<string, readonly object[]>>,
  events: Readonly<Record<string, readonly object[]>>,
  work: (book: AddressBook) => Promise<void>,
): Promise<void> {
  const api = await startWatchedApi((resource) => ({
    list: { metadata: { resourceVersion: "5" }, items: lists[resource] ?? [] },
    watch: answerEvents(events[resource] ?? []),
  }));
  const book = createAddressBook({ client: api.client, extent: "services" });
  try {
    await poll("both lists and all events", async () => {
      const stats = [...book.stats()];
      const isRead = stats.every(
        ([name, { lists: read, events: seen }]) => read > 0 && seen === (events[name] ?? []).length,
      );
      return isRead || undefined;
    });
    await work(book);
  } finally {
    await book.close();
    await api.close();
  }
}

test("a Service by its addresses, of either family; what is behind it by address and port", async () => {
  const services = [
    object("web", { spec: { clusterIPs: ["10.96.0.10", "fd00:0:0::a"] } }),
    object("headless", { spec: { clusterIPs: ["None"] } }),
  ];
  const endpointslices = [slice("web-1", 8080, [["10.244.1.5", "web-x"]])];
  await withBook({ services, endpointslices }, {}, async (book) => {
    assert.deepEqual(book.find("10.96.0.10", 80), { namespace: "shop", service: "web" });
    assert.deepEqual(book.find("fd00::a", undefined), { namespace: "shop", service: "web" });
    assert.deepEqual(book.find("10.244.1.5", 8080), { namespace: "shop", pod: "web-x" });
    assert.equal(book.find("10.244.1.5", 9100), undefined);
    assert.equal(book.find("10.244.1.5", undefined), undefined);
    assert.equal(book.find("None", undefined), undefined);
  });
});

test("owners that contradict each other are none, until one of them is gone", async () => {
  const first = slice("one", 80, [["10.244.1.5", "a"]]);
  const second = slice("two", 80, [["10.244.1.5", "b"]]);
  const same = slice("three", 80, [["10.244.1.6", "c"]]);
  const endpointslices = [first, second, same, { ...same, metadata: { ...same.metadata, uid: "another" } }];
  await withBook({ endpointslices }, {}, async (book) => {
    assert.equal(book.find("10.244.1.5", 80), undefined);
    assert.deepEqual(book.find("10.244.1.6", 80), { namespace: "shop", pod: "c" });
  });
  await withBook({ endpointslices }, { endpointslices: [{ type: "DELETED", object: first }] }, async (book) => {
    assert.deepEqual(book.find("10.244.1.5", 80), { namespace: "shop", pod: "b" });
  });
});
