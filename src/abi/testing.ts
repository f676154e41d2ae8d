/** Event bytes as the kernel side writes them, for tests: the inverse of the decoder. */

import { bytesOf, type ByteString } from '../base/bytes.ts';
import { ACTIONS, argumentsOf, type Action } from '../model/actions.ts';
import type {
  AcceptEvent,
  ActionEvent,
  EventHeader,
  KernelEvent,
  Provenance,
  TcpEvent,
} from '../model/event.ts';
import type { Environment } from '../model/environment.ts';
import type { ExecDetails } from '../model/exec-details.ts';
import {
  ACCEPT_EVENT,
  ACTION_EVENT,
  ADDRESS_FAMILY,
  CLOSE_EVENT,
  CONNECT_EVENT,
  DATAGRAM_EVENT,
  DIRECTION,
  EVENT_FLAG,
  EVENT_HEADER,
  EVENT_KIND,
  EXEC_DETAILS,
  EXEC_EVENT,
  EXEC_FLAG,
  EXIT_EVENT,
  FORK_EVENT,
  OPEN_EVENT,
  PAYLOAD_EVENT,
  STAMP_ORIGIN,
  STDIO_TYPE,
  TCP_EVENT,
  WORK_EVENT,
  WORK_PHASE,
} from './abi.gen.ts';

const NANOSECONDS_PER_TICK = 10_000_000;
const SOCKET_TYPES = { stream: 1, datagram: 2, raw: 3, other: 5 } as const;

/** Writes fields of one event at their offsets, and sections behind its fixed part. */
export class EventWriter {
  readonly #fixed: Uint8Array;
  readonly #view: DataView;
  readonly #sections: Uint8Array[] = [];

  constructor(kind: number, fixedBytes: number) {
    this.#fixed = new Uint8Array(fixedBytes);
    this.#view = new DataView(this.#fixed.buffer);
    this.u16(EVENT_HEADER.kind, kind);
    this.u8(EVENT_HEADER.version, 2);
  }

  u8(offset: number, value: number): void {
    this.#view.setUint8(offset, value);
  }

  u16(offset: number, value: number): void {
    this.#view.setUint16(offset, value, true);
  }

  u32(offset: number, value: number): void {
    this.#view.setUint32(offset, value, true);
  }

  u64(offset: number, value: number): void {
    this.#view.setBigUint64(offset, BigInt(value), true);
  }

  raw(offset: number, bytes: ByteString): void {
    this.#fixed.set(bytesOf(bytes), offset);
  }

  /** A section, whose size is written to the field at `sizeOffset`. */
  section(sizeOffset: number, bytes: Uint8Array): void {
    this.u32(sizeOffset, bytes.length);
    this.#sections.push(bytes);
  }

  section16(sizeOffset: number, bytes: Uint8Array): void {
    this.u16(sizeOffset, bytes.length);
    this.#sections.push(bytes);
  }

  /** A section whose size no field tells. */
  append(bytes: Uint8Array): void {
    this.#sections.push(bytes);
  }

  header(header: EventHeader, flags = 0): void {
    this.u8(EVENT_HEADER.flags, flags | (header.isTruncated ? EVENT_FLAG.TRUNCATED : 0));
    this.u64(EVENT_HEADER.time_ns, header.timeNs);
    this.u32(EVENT_HEADER.pid, header.pid);
    this.u32(EVENT_HEADER.tid, header.tid);
    this.u64(EVENT_HEADER.unit, header.unit);
    this.u64(EVENT_HEADER.start_time_ns, header.startTicks * NANOSECONDS_PER_TICK);
    this.u64(EVENT_HEADER.cgroup_id, header.cgroupId);
    this.u64(EVENT_HEADER.stamp_connection, header.stampConnection);
    this.u32(EVENT_HEADER.stamp_sequence, header.stampSequence);
    this.u16(EVENT_HEADER.cpu, header.cpu);
    this.u8(EVENT_HEADER.stamp_origin, valueOf(STAMP_ORIGIN, header.stampOrigin));
    this.u8(EVENT_HEADER.ready_count, header.readyCount);
  }

  bytes(): Uint8Array {
    const bytes = Uint8Array.from(Buffer.concat([this.#fixed, ...this.#sections]));
    new DataView(bytes.buffer).setUint32(EVENT_HEADER.size, bytes.length, true);
    return bytes;
  }
}

function valueOf(values: Readonly<Record<string, number>>, name: string): number {
  return values[name.toUpperCase()] ?? 0;
}

/** A string as the kernel writes it: ended by NUL. */
export function terminated(text: ByteString): Uint8Array {
  return bytesOf(`${text}\0`);
}

/** An absolute path as its components, leaf first, each ended by NUL. The root has none. */
export function components(path: ByteString): Uint8Array {
  const names = path.split('/').filter((name) => name !== '');
  return bytesOf(
    names
      .toReversed()
      .map((name) => `${name}\0`)
      .join(''),
  );
}

function acceptFlags({ isAdopted, isClient }: AcceptEvent): number {
  return (isAdopted ? EVENT_FLAG.ADOPTED : 0) | (isClient === true ? EVENT_FLAG.CLIENT : 0);
}

/** The bytes of an event. A failed open must have a resolved path that its path leads to from the directory of it. */
export function encodeEvent(event: KernelEvent): Uint8Array {
  const writer = new EventWriter(EVENT_KIND[kindName(event.kind)], fixedSize(event));
  writer.header(event, event.kind === 'accept' ? acceptFlags(event) : 0);
  switch (event.kind) {
    case 'exec':
      writer.u32(EXEC_EVENT.parent_pid, event.parentPid);
      writer.u32(EXEC_EVENT.uid, event.uid);
      writer.u32(EXEC_EVENT.gid, event.gid);
      writer.u32(EXEC_EVENT.effective_uid, event.effectiveUid);
      writer.u32(EXEC_EVENT.effective_gid, event.effectiveGid);
      writer.u32(EXEC_EVENT.device, event.device);
      writer.u64(EXEC_EVENT.inode, event.inode);
      event.stdio.forEach((type, index) => writer.u8(EXEC_EVENT.stdio + index, valueOf(STDIO_TYPE, type)));
      writer.raw(EXEC_EVENT.comm, event.comm.slice(0, 15));
      writer.section(EXEC_EVENT.path_size, terminated(event.path));
      writer.section(EXEC_EVENT.executable_size, components(event.executable));
      writer.section(EXEC_EVENT.working_directory_size, components(event.workingDirectory));
      writer.section(EXEC_EVENT.argv_size, bytesOf(event.argv.map((argument) => `${argument}\0`).join('')));
      writer.section(EXEC_EVENT.group_count, new Uint8Array(Uint32Array.from(event.groups).buffer));
      writer.u32(EXEC_EVENT.group_count, event.groups.length);
      if (event.details) writer.append(encodeDetails(event.details, event.environment ?? null));
      for (const variable of event.environment?.variables ?? []) writer.append(terminated(variable));
      break;
    case 'fork':
      writer.u32(FORK_EVENT.child_pid, event.childPid);
      writer.u64(FORK_EVENT.child_start_time_ns, event.childStartTicks * NANOSECONDS_PER_TICK);
      break;
    case 'exit':
      writer.u32(EXIT_EVENT.code, event.code > 128 ? event.code - 128 : event.code << 8);
      break;
    case 'accept':
      writer.u64(ACCEPT_EVENT.connection, event.connection);
      writer.u8(ACCEPT_EVENT.family, ADDRESS_FAMILY[familyName(event.family)]);
      writer.u8(ACCEPT_EVENT.socket_type, event.isDatagram === true ? SOCKET_TYPES.datagram : 0);
      writer.u16(ACCEPT_EVENT.local_port, event.localPort);
      writer.u16(ACCEPT_EVENT.remote_port, event.remotePort);
      writer.u64(ACCEPT_EVENT.inode, event.inode ?? 0);
      writer.u64(ACCEPT_EVENT.peer_inode, event.peerInode ?? 0);
      writer.u32(ACCEPT_EVENT.start_sequence, event.startSequence ?? 0);
      writer.u32(ACCEPT_EVENT.network_namespace, event.networkNamespace ?? 0);
      writer.u32(ACCEPT_EVENT.descriptor, toldDescriptor(event));
      if (event.family === 'unix') {
        writer.raw(ACCEPT_EVENT.path, event.localAddress);
        writer.u32(ACCEPT_EVENT.path_size, event.localAddress.length);
      } else {
        writer.raw(ACCEPT_EVENT.local_address, event.localAddress);
        writer.raw(ACCEPT_EVENT.remote_address, event.remoteAddress);
      }
      break;
    case 'connect':
      writer.u32(CONNECT_EVENT.result, -event.error >>> 0);
      writer.u8(CONNECT_EVENT.family, ADDRESS_FAMILY[familyName(event.family)]);
      writer.u8(CONNECT_EVENT.socket_type, SOCKET_TYPES[event.transport]);
      writer.u16(CONNECT_EVENT.remote_port, event.remotePort);
      if (event.family === 'unix') {
        writer.raw(CONNECT_EVENT.path, event.remoteAddress);
        writer.u32(CONNECT_EVENT.path_size, event.remoteAddress.length);
      } else {
        writer.raw(CONNECT_EVENT.remote_address, event.remoteAddress);
      }
      writer.u16(CONNECT_EVENT.local_port, event.localPort ?? 0);
      writer.raw(CONNECT_EVENT.local_address, event.localAddress ?? '');
      writer.u32(CONNECT_EVENT.descriptor, toldDescriptor(event));
      writer.header(event, provenanceFlags(event));
      break;
    case 'datagram':
      writer.u8(DATAGRAM_EVENT.family, ADDRESS_FAMILY[familyName(event.family)]);
      writer.u8(DATAGRAM_EVENT.socket_type, SOCKET_TYPES[event.transport]);
      writer.u8(DATAGRAM_EVENT.direction, event.direction === 'in' ? DIRECTION.IN : DIRECTION.OUT);
      writer.u16(DATAGRAM_EVENT.local_port, event.localPort);
      writer.u16(DATAGRAM_EVENT.remote_port, event.remotePort);
      if (event.family === 'unix') {
        writer.raw(DATAGRAM_EVENT.path, event.remoteAddress);
        writer.u32(DATAGRAM_EVENT.path_size, event.remoteAddress.length);
      } else {
        writer.raw(DATAGRAM_EVENT.remote_address, event.remoteAddress);
      }
      writer.header(event, provenanceFlags(event));
      break;
    case 'tcp':
      encodeTcp(writer, event);
      break;
    case 'work':
      writer.u64(WORK_EVENT.object, event.object);
      writer.u32(WORK_EVENT.phase, WORK_PHASE[event.phase === 'done' ? 'DONE' : 'SUBMITTED']);
      break;
    case 'close':
      writer.u64(CLOSE_EVENT.connection, event.connection);
      writer.u64(CLOSE_EVENT.bytes_in, event.bytesIn);
      writer.u64(CLOSE_EVENT.bytes_out, event.bytesOut);
      break;
    case 'payload':
      writer.u64(PAYLOAD_EVENT.connection, event.connection);
      writer.u64(PAYLOAD_EVENT.stream_offset, event.streamOffset);
      writer.u32(PAYLOAD_EVENT.sequence, event.sequence);
      writer.u32(PAYLOAD_EVENT.direction, event.direction === 'in' ? DIRECTION.IN : DIRECTION.OUT);
      writer.u32(PAYLOAD_EVENT.length, event.length);
      writer.section(PAYLOAD_EVENT.captured_size, event.bytes);
      writer.header(
        event,
        (event.isPlaintext === true ? EVENT_FLAG.PLAINTEXT : 0) |
          (event.isDatagram === true ? EVENT_FLAG.CLIENT : 0) |
          (event.hasMadeRunning === true ? EVENT_FLAG.MADE_RUN : 0),
      );
      break;
    case 'action':
      encodeAction(writer, event);
      writer.header(event, provenanceFlags(event));
      break;
    case 'open':
      writer.u32(OPEN_EVENT.result, -event.error >>> 0);
      writer.u32(OPEN_EVENT.open_flags, event.flags);
      writer.u32(OPEN_EVENT.device, event.device);
      writer.u64(OPEN_EVENT.inode, event.inode);
      writer.u32(OPEN_EVENT.descriptor, toldDescriptor(event));
      writer.section(OPEN_EVENT.path_size, terminated(event.path));
      writer.section(
        OPEN_EVENT.resolved_size,
        components(resolvedOf(event.path, event.resolvedPath, event.error)),
      );
      writer.header(event, provenanceFlags(event));
      break;
  }
  return writer.bytes();
}

/** Counted from 1; 0 where it is not told. */
function toldDescriptor({ descriptor }: { descriptor?: number }): number {
  return descriptor === undefined ? 0 : descriptor + 1;
}

function provenanceFlags({ isFromCaller, isViaRing }: Provenance): number {
  return (isFromCaller === true ? EVENT_FLAG.USER_MEMORY : 0) | (isViaRing === true ? EVENT_FLAG.RING : 0);
}

function encodeTcp(writer: EventWriter, event: TcpEvent): void {
  writer.u64(TCP_EVENT.bytes_sent, event.bytesSent);
  writer.u64(TCP_EVENT.bytes_received, event.bytesReceived);
  writer.u64(TCP_EVENT.bytes_acked, event.bytesAcked);
  writer.u32(TCP_EVENT.retransmits, event.retransmits);
  writer.u32(TCP_EVENT.segments_out, event.segmentsOut);
  writer.u32(TCP_EVENT.segments_in, event.segmentsIn);
  writer.u32(TCP_EVENT.duration_us, event.durationUs);
  writer.u32(TCP_EVENT.error, event.error);
  writer.u8(TCP_EVENT.family, ADDRESS_FAMILY[familyName(event.family)]);
  writer.u8(TCP_EVENT.last_state, event.lastState);
  writer.u8(TCP_EVENT.role, event.role === null ? 0 : event.role === 'client' ? 1 : 2);
  writer.u16(TCP_EVENT.local_port, event.localPort);
  writer.u16(TCP_EVENT.remote_port, event.remotePort);
  writer.raw(TCP_EVENT.local_address, event.localAddress);
  writer.raw(TCP_EVENT.remote_address, event.remoteAddress);
}

/** Paths are passed as absolute ones; files by their path. */
function encodeAction(writer: EventWriter, event: ActionEvent): void {
  const definition: Action = ACTIONS[event.action];
  writer.u64(ACTION_EVENT.result, event.result);
  writer.u16(ACTION_EVENT.action, definition.id);
  writer.u16(ACTION_EVENT.call, Object.keys(definition.calls).indexOf(event.syscall));
  for (const [index, { kind }] of argumentsOf(event.action, event.syscall).entries()) {
    const value = event.arguments[index] ?? 0;
    if (typeof value === 'number') writer.u64(ACTION_EVENT.arguments + 8 * index, value);
    else if (kind === 'file') writer.section16(ACTION_EVENT.base_size + 2 * index, components(value));
    else
      writer.section16(
        ACTION_EVENT.text_size + 2 * index,
        kind === 'bytes' ? bytesOf(value) : terminated(value),
      );
  }
}

function encodeDetails(details: ExecDetails, environment: Environment | null): Uint8Array {
  const interpreter = details.interpreter === null ? new Uint8Array(0) : terminated(details.interpreter);
  const fixed = Buffer.alloc(EXEC_DETAILS.SIZE);
  const u32 = (field: number, value: number): number => fixed.writeUInt32LE(value, field);
  const u64 = (field: number, value: number): number => fixed.writeBigUInt64LE(BigInt(value), field);
  u64(EXEC_DETAILS.change_time_ns, details.changeTimeMs * 1e6);
  u64(EXEC_DETAILS.modification_time_ns, details.modificationTimeMs * 1e6);
  u64(EXEC_DETAILS.effective_capabilities, details.capabilities.effective);
  u64(EXEC_DETAILS.permitted_capabilities, details.capabilities.permitted);
  u64(EXEC_DETAILS.inheritable_capabilities, details.capabilities.inheritable);
  u32(EXEC_DETAILS.mode, details.mode);
  u32(EXEC_DETAILS.owner_uid, details.ownerUid);
  u32(EXEC_DETAILS.owner_gid, details.ownerGid);
  u32(EXEC_DETAILS.link_count, details.linkCount);
  u32(EXEC_DETAILS.file_system, details.fileSystem);
  u32(
    EXEC_DETAILS.flags,
    (details.isUpperLayer ? EXEC_FLAG.UPPER_LAYER : 0) |
      (details.isMemoryFile ? EXEC_FLAG.MEMORY_FILE : 0) |
      (details.hasNoNewPrivileges ? EXEC_FLAG.NO_NEW_PRIVILEGES : 0) |
      (details.isStartedByKernel ? EXEC_FLAG.KERNEL_PARENT : 0) |
      (environment === null ? 0 : EXEC_FLAG.ENVIRONMENT) |
      (environment?.isCut === true ? EXEC_FLAG.ENVIRONMENT_CUT : 0),
  );
  u32(EXEC_DETAILS.saved_uid, details.savedUid);
  u32(EXEC_DETAILS.saved_gid, details.savedGid);
  u32(EXEC_DETAILS.login_uid, details.loginUid ?? 0xffff_ffff);
  u32(EXEC_DETAILS.session, details.session);
  u32(EXEC_DETAILS.process_group, details.processGroup);
  u32(EXEC_DETAILS.seccomp_mode, details.seccompMode);
  u32(EXEC_DETAILS.cgroup_namespace, details.namespaces.cgroup);
  u32(EXEC_DETAILS.ipc_namespace, details.namespaces.ipc);
  u32(EXEC_DETAILS.mount_namespace, details.namespaces.mount);
  u32(EXEC_DETAILS.network_namespace, details.namespaces.network);
  u32(EXEC_DETAILS.pid_namespace, details.namespaces.pid);
  u32(EXEC_DETAILS.user_namespace, details.namespaces.user);
  u32(EXEC_DETAILS.uts_namespace, details.namespaces.uts);
  u32(EXEC_DETAILS.interpreter_size, interpreter.length);
  fixed.write(details.terminal ?? '', EXEC_DETAILS.terminal, 15, 'latin1');
  return Buffer.concat([fixed, interpreter]);
}

function kindName(kind: KernelEvent['kind']): keyof typeof EVENT_KIND {
  return kind.toUpperCase() as keyof typeof EVENT_KIND;
}

function familyName(family: 'ipv4' | 'ipv6' | 'unix'): 'IPV4' | 'IPV6' | 'UNIX' {
  return family.toUpperCase() as 'IPV4' | 'IPV6' | 'UNIX';
}

/** Of an open that failed the kernel tells the directory that the path was relative to. */
function resolvedOf(path: ByteString, resolvedPath: ByteString, error: number): ByteString {
  if (error === 0) return resolvedPath;
  if (path.startsWith('/')) return '/';
  return resolvedPath.endsWith(`/${path}`) ? resolvedPath.slice(0, -path.length - 1) : resolvedPath;
}

function fixedSize({ kind }: KernelEvent): number {
  switch (kind) {
    case 'exec':
      return EXEC_EVENT.SIZE;
    case 'fork':
      return FORK_EVENT.SIZE;
    case 'exit':
      return EXIT_EVENT.SIZE;
    case 'accept':
      return ACCEPT_EVENT.SIZE;
    case 'connect':
      return CONNECT_EVENT.SIZE;
    case 'datagram':
      return DATAGRAM_EVENT.SIZE;
    case 'tcp':
      return TCP_EVENT.SIZE;
    case 'work':
      return WORK_EVENT.SIZE;
    case 'close':
      return CLOSE_EVENT.SIZE;
    case 'payload':
      return PAYLOAD_EVENT.SIZE;
    case 'action':
      return ACTION_EVENT.SIZE;
    case 'open':
      return OPEN_EVENT.SIZE;
  }
}
