import { isUtf8 } from 'node:buffer';
import { byteString, type ByteString } from '../../base/bytes.ts';
import type { InputList } from '../http/input-list.ts';

const MAX_DEPTH = 8;
/** Fields of one message, with those of messages inside, that are looked at. */
const MAX_FIELDS = 2048;
const MAX_VARINT_BYTES = 10;

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const START_GROUP = 3;
const END_GROUP = 4;
const FIXED32 = 5;

/**
 * Collects the strings of a protobuf message without knowing its schema (https://protobuf.dev/programming-guides/
 * encoding): every field with a length is text, bytes or a message, and some can be two of them. Text is told as an
 * input; what reads as a message from its first byte to its last is looked into as well. The name of an input is the
 * path of field numbers, such as '1.2'.
 */
export function collectProtobuf(message: Uint8Array, list: InputList): void {
  new ProtobufWalk(message, list).collect();
}

class ProtobufWalk {
  readonly #bytes: Uint8Array;
  readonly #list: InputList;
  #fields = 0;
  /** End of the varint that was read last; -1 when it is none. */
  #next = 0;

  constructor(bytes: Uint8Array, list: InputList) {
    this.#bytes = bytes;
    this.#list = list;
  }

  collect(): void {
    this.#collect(0, this.#bytes.length, '', 1);
  }

  /** Takes what there is: the message may be cut. */
  #collect(start: number, end: number, path: ByteString, depth: number): void {
    let at = start;
    while (at < end && this.#fields++ < MAX_FIELDS && !this.#list.isFull) {
      const tag = this.#varint(at, end);
      if (this.#next === -1) return;
      const field = Math.floor(tag / 8);
      const next = this.#skipValue(tag % 8, this.#next, end);
      if (next === -1) return;
      if (tag % 8 === LENGTH_DELIMITED) {
        const name = path === '' ? String(field) : `${path}.${field}`;
        this.#collectValue(this.#next, Math.min(next, end), name, depth);
      }
      at = next;
    }
  }

  #collectValue(start: number, end: number, name: ByteString, depth: number): void {
    if (start >= end) return;
    const isMessage = depth < MAX_DEPTH && this.#isMessage(start, end);
    if (!isMessage || isText(this.#bytes.subarray(start, end))) {
      this.#list.add('body', name, byteString(this.#bytes, start, end));
    }
    if (isMessage) this.#collect(start, end, name, depth + 1);
  }

  #isMessage(start: number, end: number): boolean {
    let at = start;
    while (at < end) {
      if (this.#fields++ >= MAX_FIELDS) return false;
      const tag = this.#varint(at, end);
      // Field numbers begin with 1 and have 29 bits.
      if (this.#next === -1 || tag < 8 || tag >= 2 ** 32) return false;
      at = this.#skipValue(tag % 8, this.#next, end);
      if (at === -1 || at > end) return false;
    }
    return true;
  }

  /**
   * @returns offset after the value, beyond `end` when it is cut; -1 for what is no value. For a length-delimited one,
   * #next is where it begins.
   */
  #skipValue(wireType: number, at: number, end: number): number {
    switch (wireType) {
      case VARINT:
        this.#varint(at, end);
        return this.#next;
      case FIXED64:
        return at + 8;
      case LENGTH_DELIMITED: {
        const length = this.#varint(at, end);
        return this.#next === -1 ? -1 : this.#next + length;
      }
      case START_GROUP:
      case END_GROUP:
        // What is inside of a group follows as fields of its own.
        return at;
      case FIXED32:
        return at + 4;
      default:
        return -1;
    }
  }

  #varint(at: number, end: number): number {
    let value = 0;
    let scale = 1;
    for (let index = at; index < end && index < at + MAX_VARINT_BYTES; index++) {
      const byte = this.#bytes[index] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        this.#next = index + 1;
        return value;
      }
      scale *= 128;
    }
    this.#next = -1;
    return 0;
  }
}

/** UTF-8 without control characters other than white space. */
function isText(bytes: Uint8Array): boolean {
  for (const byte of bytes) {
    if (byte < 0x20 && byte !== 9 && byte !== 10 && byte !== 13) return false;
    if (byte === 0x7f) return false;
  }
  return isUtf8(bytes);
}
