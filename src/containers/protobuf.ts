import { UnreadableAnswer } from './answer.ts';

/**
 * As much of Protocol Buffers as container runtimes are asked with: strings and messages within messages
 * (https://protobuf.dev/programming-guides/encoding/). Numbers are skipped.
 */

/** Fields of a message, by number. What a sender does not set is empty. */
export class Message {
  readonly #fields = new Map<number, Uint8Array[]>();

  /** @throws UnreadableAnswer where the bytes are no message */
  constructor(bytes: Uint8Array) {
    let at = 0;
    while (at < bytes.length) {
      const tag = readVarint(bytes, at);
      at = tag.end;
      const wireType = tag.value % 8;
      if (wireType !== LENGTH_DELIMITED) {
        at = skip(bytes, at, wireType);
        continue;
      }
      const length = readVarint(bytes, at);
      at = length.end + length.value;
      if (at > bytes.length) throw malformed();
      this.#add(Math.floor(tag.value / 8), bytes.subarray(length.end, at));
    }
  }

  /** '' where it is not set. Of a field that is there several times, the last counts. */
  text(field: number): string {
    const last = this.#fields.get(field)?.at(-1);
    return last === undefined ? '' : Buffer.from(last).toString('utf8');
  }

  message(field: number): Message {
    return new Message(this.#fields.get(field)?.at(-1) ?? new Uint8Array(0));
  }

  messages(field: number): Message[] {
    return (this.#fields.get(field) ?? []).map((bytes) => new Message(bytes));
  }

  has(field: number): boolean {
    return this.#fields.has(field);
  }

  /** A map of strings: messages with the key in field 1 and the value in field 2. */
  *entries(field: number): Generator<readonly [key: string, value: string]> {
    for (const entry of this.messages(field)) yield [entry.text(1), entry.text(2)];
  }

  #add(field: number, bytes: Uint8Array): void {
    const known = this.#fields.get(field);
    if (known === undefined) this.#fields.set(field, [bytes]);
    else known.push(bytes);
  }
}

/** A field that holds a text, or a message. */
export function encodeField(field: number, content: string | Uint8Array): Uint8Array {
  const bytes = Buffer.from(content);
  return Buffer.concat([varint(field * 8 + LENGTH_DELIMITED), varint(bytes.length), bytes]);
}

const VARINT = 0;
const FIXED_64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;

function skip(bytes: Uint8Array, at: number, wireType: number): number {
  const end =
    wireType === VARINT
      ? readVarint(bytes, at).end
      : wireType === FIXED_64
        ? at + 8
        : wireType === FIXED_32
          ? at + 4
          : Infinity; // groups: nobody has used them for a decade
  if (end > bytes.length) throw malformed();
  return end;
}

/** Exact for tags and lengths; what does not fit into 53 bits is rounded, and is a number that nobody asks for. */
function readVarint(bytes: Uint8Array, start: number): { readonly value: number; readonly end: number } {
  let value = 0;
  let scale = 1;
  for (let at = start; at < Math.min(start + 10, bytes.length); at++) {
    const byte = bytes[at] ?? 0;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return { value, end: at + 1 };
    scale *= 128;
  }
  throw malformed();
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 0x80);
  return Uint8Array.from([...bytes, rest]);
}

function malformed(): UnreadableAnswer {
  return new UnreadableAnswer('answers with something that is no message of its API');
}
