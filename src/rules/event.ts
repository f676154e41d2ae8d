import type { ByteString } from '../base/bytes.ts';
import type { Attribution } from '../model/effect.ts';
import type { Verdict } from '../model/finding.ts';
import type { Process } from '../model/process.ts';
import type { QueryMessage, QueryOutcome } from '../model/query.ts';
import type { Endpoint, Request } from '../model/request.ts';

/**
 * What rules are evaluated on: one event, with all that fields may ask for. Adapters outside of this room give it; one
 * object may serve all events, so nothing of it is kept beyond the evaluation. null stands for what the event does not
 * have; fields that ask for it have no value then.
 */
export interface RuleEvent {
  /** Index of its type in EVENT_TYPES. */
  readonly type: number;
  /** Counted from 1 while the agent runs. */
  readonly number: number;
  /** Nanoseconds since boot. */
  readonly timeNs: number;
  /** Of the event before it, whatever it was; null: there was none. */
  readonly previousNs: number | null;
  /** The same moment in milliseconds since the Unix epoch, with fractions. */
  readonly wallMs: number;
  readonly cpu: number | null;
  readonly tid: number;
  readonly hostname: string | null;
  /** Who did it. */
  readonly process: Process | null;
  /** What the call returned: not negative, or the errno as a negative number; UNTOLD_NUMBER where all that is known is that it worked. */
  readonly result: number | null;
  /** O_* flags of a call that opens. */
  readonly openFlags: number | null;
  /** The descriptor that the call is about. */
  readonly descriptor: RuleDescriptor | null;
  /** The path of a file that the call names or makes: absolute, and as it was passed. */
  readonly path: ByteString | null;
  readonly pathRaw: ByteString | null;
  /** Of calls with two paths. */
  readonly sourcePath: ByteString | null;
  readonly sourcePathRaw: ByteString | null;
  readonly targetPath: ByteString | null;
  readonly targetPathRaw: ByteString | null;
  /** Names of the event's arguments, in order. */
  readonly argumentNames: readonly string[];
  /** Text of an argument as the reference engine prints it; null where the event has none of this name. */
  argument(name: string): ByteString | null;
  /** An argument of a system call as a number; null where the event has none of this name, or as text alone. */
  rawArgument(name: string): number | null;
  /** The request itself, for events that are requests or replies; else the one that caused the event. */
  readonly request: Request | null;
  readonly attribution: Attribution | null;
  /** The worst that detectors have said of the request so far; null: nothing. */
  readonly verdict: Verdict | null;
  readonly query: QueryMessage | null;
  readonly outcome: QueryOutcome | null;
}

/** O_ACCMODE: asm-generic/fcntl.h. */
const OPEN_MODE = 3;

/** 0 to read, 1 to write, 2 for both; null for calls that open nothing. */
export function openModeOf(flags: number | null): number | null {
  return flags === null ? null : flags & OPEN_MODE;
}

/**
 * A number that is not told although there is one, such as that of a new descriptor in a recording of an earlier version: it
 * is not negative, equals none, and is printed as <NA>.
 */
export const UNTOLD_NUMBER = Infinity;

export type DescriptorKind = 'file' | 'directory' | 'ipv4' | 'ipv6' | 'unix' | 'other';

export interface RuleDescriptor {
  /** -1 where the call failed; UNTOLD_NUMBER where it worked and the number is not known. */
  readonly number: number;
  readonly kind: DescriptorKind;
  /** Absolute path of a file, "client->server" of a connection; null where it has none. */
  readonly name: ByteString | null;
  /** The path of a file as it was passed. */
  readonly nameRaw: ByteString | null;
  readonly transport: 'tcp' | 'udp' | null;
  /** The ends of a connection, as far as they are known. */
  readonly client: Endpoint | null;
  readonly server: Endpoint | null;
  /** Whether the process is the server of the connection; null where it is none. */
  readonly isServer: boolean | null;
  readonly bytesIn: number | null;
  readonly bytesOut: number | null;
}
