import type { ByteString } from '../../base/bytes.ts';
import type { RequestInput, RequestMessage } from '../../model/request.ts';
import { withRoom } from './bounded-bytes.ts';
import type { InputList } from './input-list.ts';
import { requestInputs } from './inputs.ts';

/** Bytes of a request body that are kept. */
export const MAX_BODY_BYTES = 8 * 1024;

/**
 * What a request of HTTP is, whatever its framing: a leaf says how its head is told. The stream adds body bytes until
 * the request has ended; what the client chose is worked out when someone asks.
 */
export abstract class HttpMessage implements RequestMessage {
  abstract readonly protocol: string;
  abstract readonly head: ByteString;
  abstract readonly method: ByteString;
  abstract readonly target: ByteString;
  abstract readonly headers: readonly (readonly [name: ByteString, value: ByteString])[];

  #isTruncated: boolean;
  #bodyBytes: Uint8Array = NO_BYTES;
  #bodyLength = 0;
  #flags: string[] | null = null;
  #inputs: readonly RequestInput[] | null = null;
  #inputsBodyLength = 0;

  /** @param isTruncated some of the head is not known */
  constructor(isTruncated: boolean) {
    this.#isTruncated = isTruncated;
  }

  get body(): Uint8Array {
    return this.#bodyBytes.length === this.#bodyLength
      ? this.#bodyBytes
      : this.#bodyBytes.subarray(0, this.#bodyLength);
  }

  get isTruncated(): boolean {
    return this.#isTruncated;
  }

  get anomalies(): readonly string[] {
    return this.#flags ?? NO_FLAGS;
  }

  get inputs(): readonly RequestInput[] {
    if (this.#inputs === null || this.#inputsBodyLength !== this.#bodyLength) {
      const list = this.collectInputs();
      if (list.hasDropped) this.flag('too-many-inputs');
      this.#inputs = list.inputs;
      this.#inputsBodyLength = this.#bodyLength;
    }
    return this.#inputs;
  }

  /** Adds captured bytes of the body, transfer coding removed; what is beyond the limit is dropped. */
  appendBody(bytes: Uint8Array, start: number, end: number): void {
    let count = end - start;
    const limit = this.maxBodyBytes;
    if (this.#bodyLength + count > limit) {
      this.#isTruncated = true;
      count = limit - this.#bodyLength;
    }
    if (count <= 0) return;
    const needed = this.#bodyLength + count;
    this.#bodyBytes = withRoom(this.#bodyBytes, this.#bodyLength, needed, limit);
    this.#bodyBytes.set(bytes.subarray(start, start + count), this.#bodyLength);
    this.#bodyLength = needed;
  }

  markTruncated(): void {
    this.#isTruncated = true;
  }

  /** Notes something odd, once. */
  flag(name: string): void {
    if (this.#flags === null) this.#flags = [name];
    else if (!this.#flags.includes(name)) this.#flags.push(name);
  }

  /** Bytes of the body that are kept. */
  protected get maxBodyBytes(): number {
    return MAX_BODY_BYTES;
  }

  protected collectInputs(): InputList {
    return requestInputs(this);
  }
}

const NO_BYTES = new Uint8Array(0);
const NO_FLAGS: readonly string[] = [];
