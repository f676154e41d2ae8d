import type { MessageSink, ProtocolConnection } from '../contract.ts';
import { ja4 } from './ja4.ts';
import { type ClientHello, parseClientHello } from './parser.ts';
import { MAX_HELLO_BYTES, RECORD_HANDSHAKE, RECORD_HEADER_BYTES, isRecordHeader } from './records.ts';

/** So much of a ClientHello is kept; one that is longer is told as far as this. */
export const MAX_KEPT_BYTES = 16_384;
const MESSAGE_HEADER_BYTES = 4;

/**
 * The readable beginning of a TLS connection: the ClientHello, which may be spread over records and pieces. Behind it all
 * is encrypted, or of no use without what is.
 */
export class TlsConnection implements ProtocolConnection {
  readonly #sink: MessageSink;
  readonly #header = new Uint8Array(RECORD_HEADER_BYTES);
  #headerLength = 0;
  /** Bytes of the record that is being read which have not come yet. */
  #recordLeft = 0;
  #hello = new Uint8Array(512);
  #helloLength = 0;
  /** Of the whole message with its header; 0 while that is not known. */
  #messageLength = 0;
  #isFinished = false;

  constructor(sink: MessageSink) {
    this.#sink = sink;
  }

  get isFinished(): boolean {
    return this.#isFinished;
  }

  /** Memory that is held between calls; for tests. */
  get bufferedBytes(): number {
    return this.#hello.length;
  }

  fromClient(bytes: Uint8Array, missing: number): void {
    let at = 0;
    while (at < bytes.length && !this.#isFinished) {
      if (this.#recordLeft === 0) {
        this.#header[this.#headerLength++] = bytes[at++] ?? 0;
        if (this.#headerLength === RECORD_HEADER_BYTES) this.#beginRecord();
      } else {
        const take = Math.min(this.#recordLeft, bytes.length - at);
        this.#recordLeft -= take;
        this.#append(bytes, at, at + take);
        at += take;
      }
    }
    if (missing > 0 && !this.#isFinished) this.#tell(true);
  }

  fromServer(bytes: Uint8Array, missing: number): void {
    if (this.#isFinished || bytes.length + missing === 0) return;
    // After a STARTTLS, the last words of the other protocol may still come.
    if (this.#isUntouched && bytes.length > 0 && !isRecordHeader(bytes, 0)) return;
    // The server answers a whole hello: what is not here by now was not captured, or went by before we looked.
    this.#tell(true);
  }

  close(): void {
    if (!this.#isFinished) this.#tell(true);
  }

  get #isUntouched(): boolean {
    return this.#headerLength + this.#recordLeft + this.#helloLength === 0;
  }

  #beginRecord(): void {
    this.#headerLength = 0;
    const header = this.#header;
    if (header[0] !== RECORD_HANDSHAKE || !isRecordHeader(header, 0)) {
      this.#finish();
      return;
    }
    this.#recordLeft = ((header[3] ?? 0) << 8) | (header[4] ?? 0);
  }

  #append(bytes: Uint8Array, start: number, end: number): void {
    const length = Math.min(this.#helloLength + end - start, MAX_KEPT_BYTES);
    if (length > this.#hello.length) {
      const larger = new Uint8Array(Math.min(MAX_KEPT_BYTES, Math.max(length, 2 * this.#hello.length)));
      larger.set(this.#hello.subarray(0, this.#helloLength));
      this.#hello = larger;
    }
    this.#hello.set(bytes.subarray(start, start + length - this.#helloLength), this.#helloLength);
    this.#helloLength = length;
    if (this.#messageLength === 0) this.#readMessageHeader();
    if (this.#isFinished || this.#messageLength === 0) return;
    if (length >= this.#messageLength) this.#tell(false);
    else if (length === MAX_KEPT_BYTES) this.#tell(true);
  }

  #readMessageHeader(): void {
    const [type, high = 0, middle = 0, low = 0] = this.#hello;
    if (type !== 1) this.#finish();
    else if (this.#helloLength >= MESSAGE_HEADER_BYTES) {
      const length = (high << 16) | (middle << 8) | low;
      if (length > MAX_HELLO_BYTES) this.#finish();
      else this.#messageLength = MESSAGE_HEADER_BYTES + length;
    }
  }

  #tell(isCut: boolean): void {
    const end = isCut ? this.#helloLength : this.#messageLength;
    const hello = parseClientHello(this.#hello.subarray(0, end), isCut);
    this.#finish();
    if (hello !== null && saysSomething(hello)) {
      this.#sink.described({
        protocol: 'tls',
        serverName: hello.serverName,
        applicationProtocols: hello.applicationProtocols,
        // Of a part it would be a wrong fingerprint.
        fingerprint: hello.isWhole ? ja4(hello) : '',
        version: versionText(hello.version),
      });
    }
  }

  #finish(): void {
    this.#isFinished = true;
    this.#hello = new Uint8Array(0);
    this.#helloLength = 0;
  }
}

function saysSomething({ isWhole, version, serverName, applicationProtocols }: ClientHello): boolean {
  return isWhole || version > 0 || serverName !== '' || applicationProtocols.length > 0;
}

/** For people; '' when it is not known. */
function versionText(version: number): string {
  switch (version) {
    case 0:
      return '';
    case 0x0300:
      return 'SSL 3.0';
    case 0x0301:
    case 0x0302:
    case 0x0303:
    case 0x0304:
      return `TLS 1.${version - 0x0301}`;
    default:
      return `TLS 0x${version.toString(16).padStart(4, '0')}`;
  }
}
