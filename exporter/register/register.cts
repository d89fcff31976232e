/*
 * node --import skbspan/register app.js     (or --require)
 *
 * Tells an skbspan agent on this node which trace context is active when this application opens a TCP connection or writes to one, so
 * that packets join the application's trace where the bytes do not say it: TLS, and connections that never open. Telling is a datagram of
 * 72 bytes to the discard port of loopback. The agent sees it as it sees any packet, before the bytes that it is about; nobody has to
 * listen there, and without an agent nothing comes of it.
 *
 * One file without dependencies, CommonJS so that every Node.js 20 can load it either way. Nothing here may throw into the
 * application, keep its process alive, or do anything for an application without OpenTelemetry.
 */
import diagnostics = require("node:diagnostics_channel");
import dgram = require("node:dgram");
import http2 = require("node:http2");
import nodeModule = require("node:module");
import net = require("node:net");

/** What of OpenTelemetry's SpanContext is told. */
interface TraceContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceFlags: number;
}

interface SocketState {
  /** Of the last write. */
  current?: TraceContext | undefined;
  /** Of the request's own header, where a client says it (undici): what is active is another request's when requests queue. */
  ofHeader?: TraceContext | undefined;
  told?: TraceContext | undefined;
  /** The addresses stay the same as long as the connection does. */
  datagram?: Buffer | undefined;
}

interface Address {
  address?: string;
  port?: number;
}

/** libuv's TCP handle, as far as it is used. */
interface TcpHandle {
  connect?(request: unknown, address: string, port: number): number;
  connect6?(request: unknown, address: string, port: number): number;
  getsockname?(out: Address): number;
}

type ConnectName = "connect" | "connect6";
type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

interface OpenTelemetryContext {
  getValue(key: symbol): unknown;
}

/*
 * What @opentelemetry/api 1.x registers for all copies of itself to find, of any minor version: so it needs not be found among
 * the application's packages, where a bundle may hold it out of sight.
 */
const API = Symbol.for("opentelemetry.js.api.1");
const SPAN = Symbol.for("OpenTelemetry Context Key SPAN");
/** Set where the SDK exports spans: with timers, in the context of whatever span was active. */
const SUPPRESSED = Symbol.for("OpenTelemetry SDK Context Key SUPPRESS_TRACING");
const globals = globalThis as { [API]?: { readonly context?: { active(): OpenTelemetryContext } } };

const DATAGRAM_BYTES = 72;
const DISCARD_PORT = 9;
const KIND_OPENING = 1;
const KIND_WRITING = 2;
const IS_ACCEPTED_AT = 35;

const states = new WeakMap<object, SocketState>();
let sendDatagram: (datagram: Buffer) => void = () => {};

const LOADED = Symbol.for("skbspan.register");
const marks = globalThis as { [LOADED]?: true };
if (marks[LOADED] === undefined) {
  marks[LOADED] = true;
  quietly(start);
}

function start(): void {
  const send = openSender();
  if (send === undefined) return;
  sendDatagram = send;
  hookConnect();
  hookWrites();
  hookHttp2();
  hookUndici();
}

function quietly(action: () => void): void {
  try {
    action();
  } catch {
    // An application is not to fail for what watches it.
  }
}

/**
 * A datagram has to leave before the bytes that it is about. send() tries at once, unless it has to look the address up first: the
 * socket's own lookup answers at once. Not a connected socket: with nobody at the port, every other send would
 * fail with ECONNREFUSED instead of sending.
 */
function openSender(): ((datagram: Buffer) => void) | undefined {
  for (const [type, address, family] of [
    ["udp4", "127.0.0.1", 4],
    ["udp6", "::1", 6],
  ] as const) {
    const socket = dgram.createSocket({ type, lookup: (_name, _options, callback) => callback(null, address, family) });
    let hasFailed = false;
    socket.on("error", () => {
      hasFailed = true;
    });
    // In a worker of a cluster the primary process would bind it, later.
    socket.bind({ port: 0, address, exclusive: true });
    socket.unref();
    if (!hasFailed) return (datagram) => socket.send(datagram, DISCARD_PORT, address);
    socket.close();
  }
  return undefined;
}

/** The syscall is where the SYN leaves: right after it the local port is known, and the context is that of the call of connect(). */
function hookConnect(): void {
  const original = net.Socket.prototype.connect as AnyFunction;
  let isHooked = false;
  (net.Socket.prototype as { connect: AnyFunction }).connect = function connect(...args) {
    quietly(() => tellOfTls(this as net.Socket));
    const result = original.apply(this, args);
    if (!isHooked) quietly(() => (isHooked = hookHandle(this as object)));
    return result;
  };
}

/** TLS writes by itself first, once it is connected. */
function tellOfTls(socket: net.Socket): void {
  if (!("encrypted" in socket)) return;
  noteContext(socket);
  socket.prependOnceListener("connect", () => quietly(() => tellWriting(socket, states.get(socket))));
}

/** The handle's class is reached through a handle; what connect() began goes on in a later turn at the earliest. */
function hookHandle(socket: { readonly _handle?: TcpHandle & { readonly _parent?: TcpHandle } }): boolean {
  // That of TLS is around one of TCP.
  const handle = socket._handle?._parent ?? socket._handle;
  // A pipe has no address.
  if (handle?.getsockname === undefined) return false;
  const prototype = Object.getPrototypeOf(handle) as TcpHandle;
  for (const name of ["connect", "connect6"] as const) hookHandleConnect(prototype, name);
  return true;
}

function hookHandleConnect(prototype: TcpHandle, name: ConnectName): void {
  const original = prototype[name];
  if (original === undefined) return;
  prototype[name] = function connect(request, address, port) {
    const result = original.call(this, request, address, port);
    if (result === 0) quietly(() => tellOpening(this, { address, port }));
    return result;
  };
}

function tellOpening(handle: TcpHandle, remote: Address): void {
  const context = findActiveContext();
  if (context === undefined) return;
  const local: Address = {};
  handle.getsockname?.(local);
  const datagram = createDatagram(local, remote);
  if (datagram !== undefined) tell(datagram, KIND_OPENING, context);
}

/**
 * Bytes leave in _writeGeneric: with write(), or later when the socket is still connecting, corked or full. Whose they are is what
 * was active at write(); what waited leaves in one syscall, so the last one's context is as good as any.
 */
function hookWrites(): void {
  const prototype = net.Socket.prototype as unknown as Record<"write" | "end" | "_writeGeneric", AnyFunction>;
  for (const name of ["write", "end"] as const) {
    const original = prototype[name];
    prototype[name] = function (...args) {
      quietly(() => noteContext(this as net.Socket));
      return original.apply(this, args);
    };
  }
  const original = prototype._writeGeneric;
  prototype._writeGeneric = function (...args) {
    const socket = this as net.Socket;
    if (!socket.connecting) quietly(() => tellWriting(socket, states.get(socket)));
    return original.apply(this, args);
  };
}

function noteContext(socket: net.Socket): void {
  const known = states.get(socket);
  const context = known?.ofHeader ?? findActiveContext();
  if (context !== undefined) stateOf(socket).current = context;
}

function stateOf(socket: object): SocketState {
  const known = states.get(socket);
  if (known !== undefined) return known;
  const state: SocketState = {};
  states.set(socket, state);
  return state;
}

function tellWriting(socket: net.Socket, state: SocketState | undefined): void {
  if (state?.current === undefined || isSame(state.current, state.told)) return;
  state.datagram ??= createDatagram(
    { address: socket.localAddress ?? "", port: socket.localPort ?? 0 },
    { address: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 },
  );
  if (state.datagram === undefined) return;
  // What an accepted connection writes answers: what comes on it is not of the same span.
  // Of a connection that was opened here `server` is null, with TLS undefined.
  state.datagram[IS_ACCEPTED_AT] = (socket as { readonly server?: unknown }).server ? 1 : 0;
  tell(state.datagram, KIND_WRITING, state.current);
  state.told = state.current;
}

function isSame(left: TraceContext, right: TraceContext | undefined): boolean {
  return left === right || (left.spanId === right?.spanId && left.traceId === right.traceId);
}

/**
 * A session of HTTP/2 writes from native code, frames of several requests at once. Without TLS the agent reads them itself. With it,
 * what is written after a request was made is said to be that request's.
 */
function hookHttp2(): void {
  const original = http2.connect as unknown as AnyFunction;
  let isHooked = false;
  (http2 as { connect: unknown }).connect = function connect(this: unknown, ...args: unknown[]) {
    const session = original.apply(this, args) as http2.ClientHttp2Session;
    if (!isHooked) quietly(() => hookHttp2Session(Object.getPrototypeOf(session)));
    isHooked = true;
    return session;
  };
  nodeModule.syncBuiltinESMExports();
}

function hookHttp2Session(prototype: { request: AnyFunction }): void {
  const original = prototype.request;
  prototype.request = function request(...args) {
    const session = this as http2.ClientHttp2Session;
    quietly(() => tellHttp2Request(session, args[0]));
    return original.apply(this, args);
  };
}

function tellHttp2Request(session: http2.ClientHttp2Session, headers: unknown): void {
  // A gRPC channel makes its calls where a connection happened to become ready: the header says whose it is.
  const context = parseTraceParent(findHeader(headers, "traceparent")) ?? findActiveContext();
  if (context === undefined) return;
  const tellIt = (): void => {
    const { socket } = session;
    if (!("encrypted" in socket)) return;
    const state = stateOf(session);
    state.current = context;
    tellWriting(socket, state);
  };
  if (session.connecting) session.once("connect", () => quietly(tellIt));
  else tellIt();
}

function findHeader(headers: unknown, name: string): unknown {
  if (!Array.isArray(headers)) return (headers as Record<string, unknown> | null | undefined)?.[name];
  const index = headers.indexOf(name);
  return index < 0 ? undefined : headers[index + 1];
}

/** fetch: its requests queue for a connection, and leave in the context of the one before. */
function hookUndici(): void {
  diagnostics.subscribe("undici:client:sendHeaders", (message) => {
    quietly(() => {
      const { headers, socket } = message as { readonly headers?: unknown; readonly socket: object };
      const [, value] = /\r\ntraceparent: *(\S+)/i.exec(String(headers)) ?? [];
      stateOf(socket).ofHeader = parseTraceParent(value);
    });
  });
}

function parseTraceParent(value: unknown): TraceContext | undefined {
  const [, traceId, spanId, flags] =
    /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})/.exec(String(value)) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  return validated({ traceId, spanId, traceFlags: Number.parseInt(flags, 16) });
}

function findActiveContext(): TraceContext | undefined {
  const context = globals[API]?.context?.active();
  const span = context?.getValue(SPAN) as { spanContext(): TraceContext } | undefined;
  if (span === undefined || context?.getValue(SUPPRESSED) === true) return undefined;
  return validated(span.spanContext());
}

function validated(context: TraceContext): TraceContext | undefined {
  const isValid =
    context.traceId.length === 32 &&
    context.spanId.length === 16 &&
    !isZero(context.traceId) &&
    !isZero(context.spanId);
  return isValid ? context : undefined;
}

function isZero(hex: string): boolean {
  return hex === "0".repeat(hex.length);
}

function tell(datagram: Buffer, kind: number, context: TraceContext): void {
  datagram.write(context.traceId, 8, "hex");
  datagram.write(context.spanId, 24, "hex");
  datagram[32] = context.traceFlags;
  datagram[33] = kind;
  sendDatagram(datagram);
}

/** All but whose and what: bpf/wire.h's documentation of the helper has the layout. Undefined when an end is not known. */
function createDatagram(local: Address, remote: Address): Buffer | undefined {
  const [from, to] = [parseAddress(local.address), parseAddress(remote.address)];
  if (from === undefined || to?.length !== from.length || !local.port || !remote.port) return undefined;
  const datagram = Buffer.alloc(DATAGRAM_BYTES);
  datagram.write("SKBSPAN1", "latin1");
  datagram[34] = from.length === 4 ? 4 : 6;
  datagram.writeUInt16BE(local.port, 36);
  datagram.writeUInt16BE(remote.port, 38);
  datagram.set(from, 40);
  datagram.set(to, 56);
  return datagram;
}

/** 4 or 16 bytes; IPv4 in IPv6's form is IPv4, as its packets are. */
function parseAddress(text = ""): number[] | undefined {
  const address = text.replace(/%.*$/, "");
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
  if (net.isIPv4(mapped)) return mapped.split(".").map(Number);
  if (!net.isIPv6(address)) return undefined;
  const [head = "", tail] = address.split("::");
  const [left, right] = [toBytes(head), toBytes(tail ?? "")];
  return [...left, ...new Array<number>(16 - left.length - right.length).fill(0), ...right];
}

function toBytes(groups: string): number[] {
  if (groups === "") return [];
  return groups.split(":").flatMap((group) => {
    if (group.includes(".")) return group.split(".").map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}
