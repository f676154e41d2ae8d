import type { ByteString } from '../../base/bytes.ts';
import { headerLines, MAX_HEADERS } from '../http/headers.ts';
import { HttpMessage } from '../http/message.ts';
import { headAnomalies } from './head-anomalies.ts';
import { parseRequestLine, type RequestLine } from './parser.ts';

/**
 * One request of HTTP/1. Holds a copy of its head and parses it when someone asks: most requests are never looked
 * into.
 */
export class Http1Request extends HttpMessage {
  readonly #head: ByteString;
  readonly #isHeadCut: boolean;
  #line: RequestLine | null = null;
  #headers: [ByteString, ByteString][] | null = null;
  #headFlags: string[] | null = null;

  /**
   * @param head the head as it came, with its empty line, or its beginning
   * @param isHeadCut only the beginning of the head is known
   */
  constructor(head: ByteString, isHeadCut: boolean) {
    super(isHeadCut);
    this.#head = head;
    this.#isHeadCut = isHeadCut;
  }

  get protocol(): string {
    return 'http1';
  }

  /** The copy of the head that the message was made of. */
  get head(): ByteString {
    return this.#head;
  }

  get method(): ByteString {
    return this.#requestLine.method;
  }

  get target(): ByteString {
    return this.#requestLine.target;
  }

  get headers(): readonly (readonly [name: ByteString, value: ByteString])[] {
    return (this.#headers ??= headerLines(this.#head, MAX_HEADERS));
  }

  override get anomalies(): readonly string[] {
    const found = (this.#headFlags ??= headAnomalies(this.#head, this.#isHeadCut));
    return super.anomalies.length === 0 ? found : [...super.anomalies, ...found];
  }

  /** A request of HTTP/0.9: its line has no version, its reply no head. */
  get isSimple(): boolean {
    return !this.#isHeadCut && this.#requestLine.version === '';
  }

  /** Whether the method is the given one, without parsing: for the stream. */
  hasMethod(method: string): boolean {
    return this.#head.startsWith(method) && this.#head.charCodeAt(method.length) === 0x20;
  }

  get #requestLine(): RequestLine {
    return (this.#line ??= parseRequestLine(this.#head));
  }
}
