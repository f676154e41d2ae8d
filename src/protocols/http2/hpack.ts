import { byteString, type ByteString } from '../../base/bytes.ts';
import { decodeHuffman } from './huffman.ts';
import { type Field, HeaderList } from './header-list.ts';
import { HeaderTable } from './header-table.ts';

/** Bytes of one header block that are decoded; servers of today refuse longer ones. */
export const MAX_BLOCK_BYTES = 32 * 1024;
/** The beginning of a value that is cut is worth telling from here on. */
const MIN_CUT_VALUE_BYTES = 16;
/** A number that needs more bytes than this is none that an honest encoder writes. */
const MAX_INTEGER_BYTES = 4;

/** Where strings are decoded, one at a time: the shortest code has five bits. */
const decoded = Buffer.alloc(Math.ceil((MAX_BLOCK_BYTES * 8) / 5));

type Failure = 'none' | 'end' | 'malformed';

/**
 * Decodes the header blocks of one direction (RFC 7541) of which some may be missing: see HeaderTable. Nothing that
 * it says is ever guessed.
 */
export class HpackDecoder {
  readonly #table = new HeaderTable();
  #bytes: Uint8Array = decoded;
  #at = 0;
  #end = 0;
  /** The bytes are over, or not what they should be: only then a read returns nonsense. */
  #failure: Failure = 'none';

  /** Header blocks were missed. */
  lose(): void {
    this.#table.lose();
  }

  /**
   * Decodes one header block.
   * @param isCut the block goes on, but the rest of it is not known
   */
  decode(bytes: Uint8Array, start: number, end: number, isCut: boolean): HeaderList {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.#failure = 'none' as Failure;
    const list = new HeaderList();
    while (this.#at < end && this.#failure === 'none') this.#readField(list);
    list.isCut = isCut;
    list.isMalformed = this.#failure === 'malformed' || (this.#failure === 'end' && !isCut);
    if (isCut || list.isMalformed) this.#table.lose();
    this.#bytes = decoded;
    return list;
  }

  #readField(list: HeaderList): void {
    const first = this.#bytes[this.#at] as number;
    if (first >= 0x80) {
      const number = this.#readInteger(0x7f);
      if (this.#failure === 'none') this.#addIndexed(number, list);
    } else if (first >= 0x40) {
      const field = this.#readLiteral(0x3f, list);
      if (field === null) return;
      this.#table.add(field);
      list.add(field);
    } else if (first >= 0x20) {
      const size = this.#readInteger(0x1f);
      if (this.#failure === 'none') this.#table.resize(size);
    } else {
      const field = this.#readLiteral(0x0f, list);
      if (field !== null) list.add(field);
    }
  }

  #addIndexed(number: number, list: HeaderList): void {
    const field = this.#table.get(number);
    if (field !== null) list.add(field);
    else if (number === 0 || this.#table.isWhole) this.#failure = 'malformed';
    else list.hasUnknown = true;
  }

  /** @returns null when it is not complete; a name that the table does not tell is '' */
  #readLiteral(mask: number, list: HeaderList): Field | null {
    const number = this.#readInteger(mask);
    let name: ByteString = '';
    if (number === 0) {
      name = this.#readString();
      if (name === '' && this.#failure === 'none') this.#failure = 'malformed';
    } else {
      const entry = this.#table.get(number);
      if (entry !== null) name = entry[0];
      else if (this.#table.isWhole) this.#failure = 'malformed';
    }
    if (this.#failure !== 'none') return null;
    const value = this.#readString();
    if (!this.#hasFailed) return [name, value];
    // Less than this of a method or a number would read as another one.
    if (value.length >= MIN_CUT_VALUE_BYTES || (name === ':path' && value !== '')) list.add([name, value]);
    return null;
  }

  get #hasFailed(): boolean {
    return this.#failure !== 'none';
  }

  /** A string; with the failure 'end' as much of it as there is, if it is not compressed. */
  #readString(): ByteString {
    if (this.#failure !== 'none') return '';
    if (this.#at >= this.#end) {
      this.#failure = 'end';
      return '';
    }
    const isHuffman = (this.#bytes[this.#at] as number) >= 0x80;
    const length = this.#readInteger(0x7f);
    if (this.#failure !== 'none') return '';
    const start = this.#at;
    const end = start + length;
    if (end > this.#end) {
      this.#at = this.#end;
      this.#failure = 'end';
      return isHuffman ? '' : byteString(this.#bytes, start, this.#end);
    }
    this.#at = end;
    if (!isHuffman) return byteString(this.#bytes, start, end);
    const count = decodeHuffman(this.#bytes, start, end, decoded);
    if (count === -1) this.#failure = 'malformed';
    return count > 0 ? decoded.toString('latin1', 0, count) : '';
  }

  /** A number with a prefix of some bits (RFC 7541, 5.1). */
  #readInteger(mask: number): number {
    let value = (this.#bytes[this.#at++] as number) & mask;
    if (value < mask) return value;
    for (let count = 0; count < MAX_INTEGER_BYTES; count++) {
      if (this.#at >= this.#end) {
        this.#failure = 'end';
        return 0;
      }
      const byte = this.#bytes[this.#at++] as number;
      value += (byte & 0x7f) * 2 ** (7 * count);
      if (byte < 0x80) return value;
    }
    this.#failure = 'malformed';
    return 0;
  }
}
