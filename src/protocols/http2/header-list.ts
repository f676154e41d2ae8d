import type { ByteString } from '../../base/bytes.ts';

/** One header field. An empty name stands for one that was in a table entry which we never saw. */
export type Field = readonly [name: ByteString, value: ByteString];

/** Fields of one header block, and bytes of their names and values, that are kept. As many as of a head of HTTP/1. */
const MAX_FIELDS = 256 + 8;
const MAX_LIST_BYTES = 16 * 1024;

/** What one header block says: pseudo-header fields and header fields in their order. */
export class HeaderList {
  readonly fields: Field[] = [];
  /** Fields of the block are unknown, or their names: they stand in entries of a table that we did not see. */
  hasUnknown = false;
  /** The end of the block was not captured. */
  isCut = false;
  /** Something in the block cannot be decoded: what follows it is unknown. */
  isMalformed = false;
  /** There were more fields than are kept. */
  isOversized = false;
  #sizeBytes = 0;

  /** All that the block says is here. */
  get isComplete(): boolean {
    return !this.hasUnknown && !this.isCut && !this.isMalformed && !this.isOversized;
  }

  add(field: Field): void {
    this.#sizeBytes += field[0].length + field[1].length;
    if (this.fields.length >= MAX_FIELDS || this.#sizeBytes > MAX_LIST_BYTES) {
      this.isOversized = true;
      return;
    }
    this.fields.push(field);
    if (field[0] === '') this.hasUnknown = true;
  }

  /** The first value of a name, '' where it is not there. */
  value(wanted: string): ByteString {
    for (const [name, value] of this.fields) if (name === wanted) return value;
    return '';
  }

  /** A request or a response begins with this block; trailers have no pseudo-header fields (RFC 9113, 8.1). */
  get hasPseudoFields(): boolean {
    return this.fields.some(([name]) => name.charCodeAt(0) === 0x3a);
  }
}
