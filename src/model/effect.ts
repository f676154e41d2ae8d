import type { ByteString } from '../base/bytes.ts';
import type { ActionName } from './actions.ts';
import type { ActionArgument } from './event.ts';
import type { Environment } from './environment.ts';
import type { ExecDetails } from './exec-details.ts';
import type { ExecutableFile } from './executable.ts';
import type { Process, StdioType } from './process.ts';
import type { QueryMessage, QueryOutcome } from './query.ts';
import type { Endpoint, Request } from './request.ts';
import type { SyscallName } from './syscalls.ts';

/**
 * How we know which request caused an effect.
 * - exact: the thread was executing that request and no other, or the process was born inside it
 * - linked: an asynchronous hand-over that we saw
 * - matched: several requests were possible and bytes of exactly one of them stand in the effect
 * - ambiguous: one or several are possible, none is proven; all are listed
 * - none: the process was serving no request
 */
export type Grade = 'exact' | 'linked' | 'matched' | 'ambiguous' | 'none';

export interface Attribution {
  readonly grade: Grade;
  /** One short clause for people: why this grade. */
  readonly reason: string;
  /** The request that caused the effect; null for ambiguous and none. */
  readonly request: Request | null;
  /** All requests that were possible (the one itself when exact, linked or matched). */
  readonly candidates: readonly Request[];
}

interface EffectBase {
  /** Nanoseconds since boot. */
  readonly timeNs: number;
  readonly pid: number;
  readonly tid: number;
  readonly process: Process;
  readonly attribution: Attribution;
}

/** A program was started. The fields are those of the moment, later programs of the same process do not change them. */
export interface ExecEffect extends EffectBase {
  readonly type: 'exec';
  /** Path as passed to the system call. */
  readonly path: ByteString;
  /** Resolved path of the executable file. */
  readonly executable: ByteString;
  readonly argv: readonly ByteString[];
  readonly argvTruncated: boolean;
  readonly workingDirectory: ByteString;
  readonly uid: number;
  readonly stdio: readonly [StdioType, StdioType, StdioType];
  /** null or absent: not known. */
  readonly details?: ExecDetails | null;
  readonly file?: ExecutableFile | null;
  readonly environment?: Environment | null;
}

export interface ExitEffect extends EffectBase {
  readonly type: 'exit';
  /** Exit code, or 128 + signal. */
  readonly code: number;
}

export interface OpenEffect extends EffectBase {
  readonly type: 'open';
  /** Path as passed to the system call. */
  readonly path: ByteString;
  /** Absolute path: the kernel's own for opens that succeeded, joined and normalised from the passed one else. */
  readonly resolvedPath: ByteString;
  /** O_* flags. */
  readonly flags: number;
  readonly isWrite: boolean;
  /** 0 when it succeeded, else the errno (positive). */
  readonly error: number;
  /** Number of the descriptor. Absent: there is none, or it is not known. */
  readonly descriptor?: number;
}

export interface ConnectEffect extends EffectBase {
  readonly type: 'connect';
  readonly family: 'ipv4' | 'ipv6' | 'unix';
  readonly transport: 'stream' | 'datagram' | 'other';
  readonly remote: Endpoint;
  /** This end. Absent: not known, as of a unix socket or a connection that failed. */
  readonly local?: Endpoint;
  /** Number of the socket's descriptor. Absent: not known. */
  readonly descriptor?: number;
  /** 0 when it succeeded or is in progress, else the errno (positive). */
  readonly error: number;
  /** A non-blocking connect that had not finished when the call returned. */
  readonly isInProgress: boolean;
}

/** A system call of the catalogue: src/model/actions.ts. */
export interface ActionEffect extends EffectBase {
  readonly type: 'action';
  readonly action: ActionName;
  readonly syscall: SyscallName;
  readonly arguments: readonly ActionArgument[];
  /** It is done to the agent itself. */
  readonly isAimedAtAgent: boolean;
  /** What the call returned; negative: an error. */
  readonly result: number;
}

/** A data service was asked something: a statement, a command, a lookup. */
export interface QueryEffect extends EffectBase {
  readonly type: 'query';
  readonly query: QueryMessage;
  readonly remote: Endpoint;
  /** null while there is no answer. */
  readonly outcome: QueryOutcome | null;
  /** When the answer was complete, in nanoseconds since boot; null while there is none. */
  readonly endedNs: number | null;
  /** The request as which a process on this host serves it; absent or null: none is known. */
  readonly servedAs?: Request | null;
}

export type Effect = ExecEffect | ExitEffect | OpenEffect | ConnectEffect | QueryEffect | ActionEffect;
export type EffectType = Effect['type'];
