import { MAX_KEPT_BYTES, type FrameRules } from './frames.ts';

/** Types of messages, by their letter. Some letters mean different things in the two directions. */
export const BIND = 0x42; // B
export const CLOSE = 0x43; // C
export const EXECUTE = 0x45; // E
export const FUNCTION_CALL = 0x46; // F
export const PARSE = 0x50; // P
export const QUERY = 0x51; // Q
export const SYNC = 0x53; // S

export const PARSE_COMPLETE = 0x31; // 1
export const COMMAND_COMPLETE = 0x43; // C
export const DATA_ROW = 0x44; // D
export const ERROR = 0x45; // E
export const COPY_IN = 0x47; // G
export const COPY_OUT = 0x48; // H
export const EMPTY_QUERY = 0x49; // I
export const ROW_DESCRIPTION = 0x54; // T
export const READY = 0x5a; // Z
export const PORTAL_SUSPENDED = 0x73; // s

/** Longest first message that the server takes (MAX_STARTUP_PACKET_LENGTH). */
const MAX_STARTUP_LENGTH = 10_000;
/** Longest message of a type that has no reason to be long (PQ_SMALL_MESSAGE_LIMIT). */
const MAX_SMALL_LENGTH = 10_000;
/** Room for the names beside a statement. */
const MAX_NAME_BYTES = 256;
const MAX_ERROR_BYTES = 2048;

/** Only `small` types may not be long; a fixed length is the only one that a type has. */
type Size = 'any' | 'small' | number;

const FRONTEND = sizes([
  ['QPBFdp', 'any'],
  ['ECDf', 'small'],
  ['SHXc', 4],
]);

const BACKEND = sizes([
  ['RSTDdEAVNtGHWv', 'any'],
  ['CK', 'small'],
  ['123Icns', 4],
  ['Z', 5],
]);

/** What a client sends. */
export const frontendRules: FrameRules = {
  isPossible: (type, length) =>
    type === 0 ? length >= 8 && length <= MAX_STARTUP_LENGTH : fits(FRONTEND.get(type), length),
  keptBytes(type) {
    switch (type) {
      case QUERY:
      case PARSE:
      case BIND:
      case FUNCTION_CALL:
        return MAX_KEPT_BYTES;
      case 0:
        return MAX_STARTUP_LENGTH;
      case EXECUTE:
      case CLOSE:
        return MAX_NAME_BYTES;
      default:
        // Among them 'p', which holds passwords.
        return 0;
    }
  },
};

/** What a server sends. */
export const backendRules: FrameRules = {
  isPossible: (type, length) => fits(BACKEND.get(type), length),
  keptBytes(type) {
    switch (type) {
      case ERROR:
        return MAX_ERROR_BYTES;
      case COMMAND_COMPLETE:
        return MAX_NAME_BYTES;
      case READY:
        return 1;
      default:
        return 0;
    }
  },
};

function sizes(table: readonly (readonly [letters: string, size: Size])[]): ReadonlyMap<number, Size> {
  return new Map(
    table.flatMap(([letters, size]) =>
      Array.from(letters, (letter) => [letter.charCodeAt(0), size] as const),
    ),
  );
}

function fits(size: Size | undefined, length: number): boolean {
  if (size === undefined) return false;
  if (typeof size === 'number') return length === size;
  return size === 'any' || length <= MAX_SMALL_LENGTH;
}
