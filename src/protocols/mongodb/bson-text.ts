import { byteString, type ByteString } from '../../base/bytes.ts';
import { BSON, BsonCursor, stringAt, viewOf } from './bson.ts';

/** MongoDB itself nests at most so deep. */
const MAX_DEPTH = 100;
/** Strings of one command that are told as its parameters. */
const MAX_PARAMETERS = 1024;

const NO_NAMES: ReadonlySet<ByteString> = new Set();

/**
 * A command as text for people and rules: like MongoDB's relaxed extended JSON
 * (https://www.mongodb.com/docs/manual/reference/mongodb-extended-json/), strings as they were on the wire with JSON's
 * escapes, bounded. The strings among its values are collected besides.
 */
export class BsonText {
  text: ByteString = '';
  readonly parameters: ByteString[] = [];
  /** Something was left out for its length, or was not captured. */
  isCut = false;
  isMalformed = false;

  readonly #limit: number;
  #parameterBytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The elements of a document without its braces; @param leftOut names at its top that are not written */
  elements(bytes: Uint8Array, start: number, end: number, leftOut: ReadonlySet<ByteString>): void {
    this.#elements(new BsonCursor(bytes, start, end), false, leftOut, 0);
  }

  /** Documents one after the other, as the array of that name. */
  sequence(name: ByteString, bytes: Uint8Array, start: number, end: number): void {
    this.write(`${this.text.endsWith('{') ? '' : ','}${quoted(name)}:[`);
    let index = start;
    while (index + 4 <= end && !this.isCut) {
      const length = viewOf(bytes).getInt32(index, true);
      if (length < 5) {
        this.isMalformed = true;
        break;
      }
      if (index > start) this.write(',');
      this.document(bytes, index, end);
      index += length;
    }
    this.write(']');
  }

  document(bytes: Uint8Array, start: number, end: number): void {
    this.write('{');
    this.elements(bytes, start, end, NO_NAMES);
    this.write('}');
  }

  /** After a cut nothing more is written: what follows would look like what stood there. */
  write(text: ByteString): void {
    if (this.isCut) return;
    const room = this.#limit - this.text.length;
    this.text += text.length <= room ? text : text.slice(0, room);
    if (text.length > room) this.isCut = true;
  }

  #elements(cursor: BsonCursor, isArray: boolean, leftOut: ReadonlySet<ByteString>, depth: number): void {
    let isFirst = true;
    while (!this.isCut && cursor.next()) {
      if (leftOut.has(cursor.name)) continue;
      const separator = isFirst ? '' : ',';
      isFirst = false;
      this.write(isArray ? separator : `${separator}${quoted(cursor.name)}:`);
      this.#value(cursor, depth);
      if (cursor.isValueCut) this.isCut = true;
    }
    if (cursor.isMalformed) this.isMalformed = true;
    if (cursor.isCut || cursor.isMalformed) this.isCut = true;
  }

  #value(cursor: BsonCursor, depth: number): void {
    const { type, bytes, valueStart, valueEnd } = cursor;
    switch (type) {
      case BSON.string:
      case BSON.code:
      case BSON.symbol: {
        const text = stringAt(cursor, this.#limit) ?? '';
        this.#parameter(text);
        this.write(type === BSON.code ? `{"$code":${quoted(text)}}` : quoted(text));
        break;
      }
      case BSON.document:
      case BSON.array:
        this.#nested(bytes, valueStart, valueEnd, type === BSON.array, depth + 1);
        break;
      case BSON.codeWithScope:
        this.#codeWithScope(cursor, depth);
        break;
      case BSON.regex: {
        const [pattern = '', options = ''] = byteString(
          bytes,
          valueStart,
          Math.max(valueStart, valueEnd - 1),
        ).split('\0');
        this.#parameter(pattern);
        this.write(`{"$regex":${quoted(pattern)},"$options":${quoted(options)}}`);
        break;
      }
      default:
        if (!cursor.isValueCut) this.write(scalar(cursor));
    }
  }

  #nested(bytes: Uint8Array, start: number, end: number, isArray: boolean, depth: number): void {
    if (depth > MAX_DEPTH) {
      this.isCut = true;
      return;
    }
    this.write(isArray ? '[' : '{');
    this.#elements(new BsonCursor(bytes, start, end), isArray, NO_NAMES, depth);
    this.write(isArray ? ']' : '}');
  }

  /** Its length, the code as a string, the scope as a document. */
  #codeWithScope(cursor: BsonCursor, depth: number): void {
    const { bytes, valueStart, valueEnd } = cursor;
    const codeStart = valueStart + 8;
    const length = codeStart <= valueEnd ? viewOf(bytes).getInt32(valueStart + 4, true) : 0;
    if (length < 1 || codeStart + length > valueEnd) {
      this.isCut = true;
      return;
    }
    const code = byteString(bytes, codeStart, codeStart + length - 1);
    this.#parameter(code);
    this.write(`{"$code":${quoted(code)},"$scope":`);
    this.#nested(bytes, codeStart + length, valueEnd, false, depth + 1);
    this.write('}');
  }

  #parameter(text: ByteString): void {
    this.#parameterBytes += text.length;
    if (this.parameters.length < MAX_PARAMETERS && this.#parameterBytes <= this.#limit)
      this.parameters.push(text);
    else this.isCut = true;
  }
}

function scalar({ type, bytes, valueStart, valueEnd }: BsonCursor): ByteString {
  const view = viewOf(bytes);
  switch (type) {
    case BSON.double: {
      const value = view.getFloat64(valueStart, true);
      return Number.isFinite(value) ? String(value) : `{"$numberDouble":"${value}"}`;
    }
    case BSON.int32:
      return String(view.getInt32(valueStart, true));
    case BSON.int64:
      return String(view.getBigInt64(valueStart, true));
    case BSON.boolean:
      return bytes[valueStart] === 0 ? 'false' : 'true';
    case BSON.null:
      return 'null';
    case BSON.date:
      return `{"$date":${view.getBigInt64(valueStart, true)}}`;
    case BSON.timestamp:
      return `{"$timestamp":{"t":${view.getUint32(valueStart + 4, true)},"i":${view.getUint32(valueStart, true)}}}`;
    case BSON.objectId:
      return `{"$oid":"${hex(bytes, valueStart, valueEnd)}"}`;
    case BSON.decimal:
      return `{"$numberDecimal":"0x${hex(bytes, valueStart, valueEnd)}"}`;
    case BSON.binary:
      return `{"$binary":{"length":${view.getInt32(valueStart, true)},"subType":${bytes[valueStart + 4] ?? 0}}}`;
    case BSON.minKey:
      return '{"$minKey":1}';
    case BSON.maxKey:
      return '{"$maxKey":1}';
    case BSON.pointer:
      return '{"$dbPointer":{}}';
    default:
      return '{"$undefined":true}';
  }
}

function hex(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.subarray(start, end)).toString('hex');
}

/** JSON's string, byte for byte: bytes above ASCII stay as they are. */
function quoted(text: ByteString): ByteString {
  return JSON.stringify(text);
}
