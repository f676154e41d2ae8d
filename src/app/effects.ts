import type { Sinks } from '../attribution/content.ts';
import { addressText } from '../base/addresses.ts';
import type { ByteString } from '../base/bytes.ts';
import type {
  ActionEffect,
  Attribution,
  ConnectEffect,
  ExecEffect,
  ExitEffect,
  OpenEffect,
} from '../model/effect.ts';
import type {
  ActionEvent,
  ConnectEvent,
  DatagramEvent,
  EventHeader,
  ExecEvent,
  ExitEvent,
  OpenEvent,
} from '../model/event.ts';
import type { Process } from '../model/process.ts';

// O_* flags that make an open one for writing: O_ACCMODE, O_CREAT, O_TRUNC (asm-generic/fcntl.h; same on x86 and arm64).
const WRITE_FLAGS = 0o3 | 0o100 | 0o1000;
const EINPROGRESS = 115;

/** Effects out of events: what happened, who did it, and which request caused it. */
function common(event: EventHeader, process: Process, attribution: Attribution) {
  return { timeNs: event.timeNs, pid: event.pid, tid: event.tid, process, attribution };
}

function descriptorOf({ descriptor }: OpenEvent | ConnectEvent): { descriptor?: number } {
  return descriptor === undefined ? {} : { descriptor };
}

function localOf({ family, localAddress, localPort }: ConnectEvent): Pick<ConnectEffect, 'local'> {
  return localAddress === undefined || localPort === undefined
    ? {}
    : { local: { address: addressText(family, localAddress), port: localPort } };
}

export function effectOfExec(event: ExecEvent, process: Process, attribution: Attribution): ExecEffect {
  return {
    ...common(event, process, attribution),
    type: 'exec',
    path: event.path,
    executable: event.executable,
    argv: event.argv,
    argvTruncated: event.isTruncated,
    workingDirectory: event.workingDirectory,
    uid: event.uid,
    stdio: event.stdio,
    details: event.details ?? null,
    file: process.file ?? null,
    environment: event.environment ?? null,
  };
}

export function effectOfExit(event: ExitEvent, process: Process, attribution: Attribution): ExitEffect {
  return { ...common(event, process, attribution), type: 'exit', code: event.code };
}

export function effectOfOpen(event: OpenEvent, process: Process, attribution: Attribution): OpenEffect {
  return {
    ...common(event, process, attribution),
    type: 'open',
    path: event.path,
    resolvedPath: event.resolvedPath,
    flags: event.flags,
    isWrite: (event.flags & WRITE_FLAGS) !== 0,
    error: event.error,
    ...descriptorOf(event),
  };
}

export function effectOfConnect(
  event: ConnectEvent,
  process: Process,
  attribution: Attribution,
): ConnectEffect {
  const isInProgress = event.error === EINPROGRESS;
  return {
    ...common(event, process, attribution),
    type: 'connect',
    family: event.family,
    transport: event.transport,
    remote: { address: addressText(event.family, event.remoteAddress), port: event.remotePort },
    ...localOf(event),
    ...descriptorOf(event),
    error: isInProgress ? 0 : event.error,
    isInProgress,
  };
}

/** Who sends to somebody without a connection does what connecting a datagram socket does. */
export function effectOfDatagram(
  event: DatagramEvent,
  process: Process,
  attribution: Attribution,
): ConnectEffect {
  return {
    ...common(event, process, attribution),
    type: 'connect',
    family: event.family,
    transport: event.transport === 'datagram' ? 'datagram' : 'other',
    remote: { address: addressText(event.family, event.remoteAddress), port: event.remotePort },
    error: 0,
    isInProgress: false,
  };
}

export function effectOfAction(event: ActionEvent, process: Process, attribution: Attribution): ActionEffect {
  return {
    ...common(event, process, attribution),
    type: 'action',
    action: event.action,
    syscall: event.syscall,
    arguments: event.arguments,
    isAimedAtAgent: event.isAimedAtAgent === true,
    result: event.result,
  };
}

/** Texts and paths that were passed, for content evidence. */
export function sinksOfAction(event: ActionEvent): readonly ByteString[] {
  return event.arguments.filter((argument) => typeof argument === 'string');
}

/** Where a connection goes, for content evidence: an address as people write it. */
export function sinksOfConnect({
  family,
  remoteAddress,
}: Pick<ConnectEvent, 'family' | 'remoteAddress'>): Sinks {
  return family === 'unix' ? [remoteAddress] : { address: addressText(family, remoteAddress) };
}

/** What an exec says, for content evidence. */
export function sinksOfExec(event: ExecEvent): readonly ByteString[] {
  return [event.path, ...event.argv];
}

/** Where programs find their libraries and texts: the same for every request, and most of what they open. */
const ROUTINE = [
  '/usr/lib/',
  '/usr/lib64/',
  '/lib/',
  '/lib64/',
  '/etc/ld.so.',
  '/usr/share/locale/',
  '/usr/share/zoneinfo/',
];

/** What an open says, for content evidence. */
export function sinksOfOpen(event: OpenEvent): readonly ByteString[] {
  if (ROUTINE.some((start) => event.path.startsWith(start))) return [];
  return event.path === event.resolvedPath ? [event.path] : [event.path, event.resolvedPath];
}
