import type { ByteString } from '../../base/bytes.ts';
import { MAX_HEADERS } from './headers.ts';
import { HttpMessage } from './message.ts';

export interface DecodedHead {
  /** Name of the leaf, or of what is spoken in it. */
  readonly protocol: string;
  readonly method: ByteString;
  /** Path and query as sent, not decoded. */
  readonly target: ByteString;
  /** Names in lower case, in order of arrival. */
  readonly headers: readonly (readonly [name: ByteString, value: ByteString])[];
  /** Some of the head is not known. */
  readonly isTruncated: boolean;
}

/** A request whose head did not travel as text: its fields came one by one, counted or compressed. */
export class DecodedMessage extends HttpMessage {
  readonly protocol: string;
  readonly method: ByteString;
  readonly target: ByteString;
  readonly headers: readonly (readonly [name: ByteString, value: ByteString])[];
  #head: ByteString | null = null;

  constructor({ protocol, method, target, headers, isTruncated }: DecodedHead) {
    super(isTruncated);
    this.protocol = protocol;
    this.method = method;
    this.target = target;
    this.headers = headers.length > MAX_HEADERS ? headers.slice(0, MAX_HEADERS) : headers;
    if (headers.length > MAX_HEADERS) this.flag('too-many-headers');
  }

  /** The head as HTTP/1 would have written it: for those who look at the text of heads. */
  get head(): ByteString {
    return (this.#head ??= this.#render());
  }

  #render(): ByteString {
    let text = `${this.method} ${this.target}`;
    for (const [name, value] of this.headers) text += `\r\n${name}: ${value}`;
    return `${text}\r\n\r\n`;
  }
}
