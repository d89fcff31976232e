/**
 * The delay that a server asks for, from the bytes of `grpc-status-details-bin`:
 *
 *   google.rpc.Status    { 3: details (google.protobuf.Any), repeated }
 *   google.protobuf.Any  { 1: type_url  2: value }
 *   google.rpc.RetryInfo { 1: retry_delay (google.protobuf.Duration) }
 *   Duration             { 1: seconds  2: nanos }
 *
 * Undefined: there is no RetryInfo, or it cannot be read.
 */
export function readRetryDelayMs(status: Uint8Array): number | undefined {
  for (const detail of fieldsOf(status)) {
    if (detail.number !== 3 || !detail.bytes) continue;
    const any = fieldsOf(detail.bytes);
    const typeUrl = any.find((field) => field.number === 1)?.bytes;
    if (!typeUrl || !Buffer.from(typeUrl).toString("utf8").endsWith("/google.rpc.RetryInfo")) continue;
    const info = any.find((field) => field.number === 2)?.bytes ?? new Uint8Array(0);
    const duration = fieldsOf(info).find((field) => field.number === 1)?.bytes;
    if (!duration) return 0;
    const parts = fieldsOf(duration);
    const seconds = parts.find((field) => field.number === 1)?.value ?? 0;
    const nanos = parts.find((field) => field.number === 2)?.value ?? 0;
    return seconds * 1000 + nanos / 1e6;
  }
  return undefined;
}

/** The message of a google.rpc.Status, as the body of a failed OTLP/HTTP request has it; empty when there is none. */
export function readStatusMessage(status: Uint8Array): string {
  const text = fieldsOf(status).find((field) => field.number === 2)?.bytes;
  return text ? Buffer.from(text).toString("utf8") : "";
}

interface Field {
  readonly number: number;
  readonly value?: number;
  readonly bytes?: Uint8Array;
}

/** The fields of a message, as far as it can be read. */
function fieldsOf(message: Uint8Array): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const readVarint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 63 && at < message.length; shift += 7) {
      const byte = message[at++] ?? 0;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    at = message.length + 1;
    return 0;
  };
  while (at < message.length) {
    const tag = readVarint();
    const number = Math.floor(tag / 8);
    if (tag % 8 === 0) {
      fields.push({ number, value: readVarint() });
    } else if (tag % 8 === 2) {
      const length = readVarint();
      if (at + length > message.length) break;
      fields.push({ number, bytes: message.subarray(at, at + length) });
      at += length;
    } else if (tag % 8 === 1 || tag % 8 === 5) {
      at += tag % 8 === 1 ? 8 : 4;
    } else {
      break;
    }
  }
  return fields;
}
