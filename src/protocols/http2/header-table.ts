import type { Field } from './header-list.ts';

// RFC 7541, Appendix A: a name, and after a space its value.
const STATIC_TABLE: readonly Field[] = [
  ':authority|:method GET|:method POST|:path /|:path /index.html|:scheme http|:scheme https|:status 200',
  ':status 204|:status 206|:status 304|:status 400|:status 404|:status 500|accept-charset',
  'accept-encoding gzip, deflate|accept-language|accept-ranges|accept|access-control-allow-origin|age|allow',
  'authorization|cache-control|content-disposition|content-encoding|content-language|content-length',
  'content-location|content-range|content-type|cookie|date|etag|expect|expires|from|host|if-match',
  'if-modified-since|if-none-match|if-range|if-unmodified-since|last-modified|link|location|max-forwards',
  'proxy-authenticate|proxy-authorization|range|referer|refresh|retry-after|server|set-cookie',
  'strict-transport-security|transfer-encoding|user-agent|vary|via|www-authenticate',
]
  .flatMap((line) => line.split('|'))
  .map((field): Field => {
    const space = field.indexOf(' ');
    return space === -1 ? [field, ''] : [field.slice(0, space), field.slice(space + 1)];
  });

/** Size of the dynamic table until the encoder says another (RFC 9113, 6.5.2). */
const DEFAULT_SIZE_BYTES = 4096;
/** Encoders may be allowed larger tables than this; what they have in them beyond it is unknown here. */
const MAX_SIZE_BYTES = 16 * 1024;
/** What an entry costs besides its name and value (RFC 7541, 4.1). */
const ENTRY_OVERHEAD_BYTES = 32;
/** Dropped entries at the front before the array is moved together. */
const MAX_SLACK = 128;

/**
 * The table of one direction as far as it is known. The newest entries have the lowest numbers, so after a gap every
 * entry added since is still where the encoder has it, and whatever lies behind them is unknown: it is looked up as
 * null and never guessed.
 */
export class HeaderTable {
  /** Older entries first; those before #first are gone. */
  #entries: Field[] = [];
  #first = 0;
  #sizeBytes = 0;
  #maxSizeBytes = DEFAULT_SIZE_BYTES;
  #isWhole = true;

  /** No entry of the encoder's table is missing here: a number beyond the last one is an error of the encoder. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** The entry with a number as they are on the wire, from 1; null for one that is not known. */
  get(number: number): Field | null {
    if (number <= STATIC_TABLE.length) return STATIC_TABLE[number - 1] ?? null;
    const index = this.#entries.length - (number - STATIC_TABLE.length);
    return index >= this.#first ? (this.#entries[index] ?? null) : null;
  }

  add(field: Field): void {
    this.#entries.push(field);
    this.#sizeBytes += sizeOf(field);
    this.#evict();
  }

  /**
   * The encoder says how large its table may be from now on (RFC 7541, 6.3). It says so whenever it follows a setting of
   * the other side, so the settings themselves need not be read: they may be among what was missed.
   */
  resize(sizeBytes: number): void {
    this.#maxSizeBytes = Math.min(sizeBytes, MAX_SIZE_BYTES);
    if (sizeBytes > MAX_SIZE_BYTES) this.#isWhole = false;
    this.#evict();
    if (sizeBytes === 0) this.#isWhole = true;
  }

  /** Header fields were missed: nobody knows how many entries they added. */
  lose(): void {
    this.#entries = [];
    this.#first = 0;
    this.#sizeBytes = 0;
    this.#isWhole = false;
    // Too large a size only keeps entries that the encoder cannot mean any more.
    this.#maxSizeBytes = Math.max(this.#maxSizeBytes, DEFAULT_SIZE_BYTES);
  }

  #evict(): void {
    const entries = this.#entries;
    while (this.#sizeBytes > this.#maxSizeBytes && this.#first < entries.length) {
      this.#sizeBytes -= sizeOf(entries[this.#first++] as Field);
    }
    if (this.#first > MAX_SLACK && this.#first * 2 > entries.length) {
      this.#entries = entries.slice(this.#first);
      this.#first = 0;
    }
  }
}

function sizeOf([name, value]: Field): number {
  return name.length + value.length + ENTRY_OVERHEAD_BYTES;
}
