import { byteString, type ByteString } from '../base/bytes.ts';
import { normalisePath } from '../base/path.ts';
import type {
  AcceptEvent,
  ActionEvent,
  CloseEvent,
  ConnectEvent,
  EventHeader,
  ExecEvent,
  ExitEvent,
  ForkEvent,
  KernelEvent,
  OpenEvent,
  PayloadEvent,
  StampOrigin,
  WorkEvent,
} from '../model/event.ts';
import type { ExecDetails } from '../model/exec-details.ts';
import type { StdioType } from '../model/process.ts';
import {
  ACCEPT_EVENT,
  ACTION_EVENT,
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
import { descriptorAt, rawAddress, familyOf, provenance, unixPath, unmapped } from './addresses.ts';
import { decodeAction } from './decode-action.ts';
import { decodeDatagram, decodeTcp } from './decode-network.ts';
import { readNumber, Sections } from './sections.ts';

/** The version of the layout that this decoder knows. */
const VERSION = 2;
const NANOSECONDS_PER_TICK = 10_000_000;
/** enum sock_type of include/linux/net.h; the same on x86 and arm64. */
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
/** The model's names are those of the C enums in lower case, by value. */
const ORIGINS = Object.keys(STAMP_ORIGIN).map((name) => name.toLowerCase()) as StampOrigin[];
const STDIO = Object.keys(STDIO_TYPE).map((name) => name.toLowerCase()) as StdioType[];
const NO_BYTES = new Uint8Array(0);

/** Why events were not decoded, by reason. */
export interface DecodeCounters {
  unknownKind: number;
  unknownVersion: number;
  malformed: number;
}

/**
 * Turns event bytes into events. Odd bytes are counted and skipped, never an exception: a recording may be cut or
 * made by somebody else.
 */
export class EventDecoder {
  readonly counters: DecodeCounters = { unknownKind: 0, unknownVersion: 0, malformed: 0 };
  /** Payload is by far the most frequent event: one object serves all, valid until the next decode. */
  readonly #payload: PayloadEvent = {
    ...emptyHeader(),
    kind: 'payload',
    connection: 0,
    sequence: 0,
    direction: 'in',
    streamOffset: 0,
    length: 0,
    bytes: NO_BYTES,
  };

  /**
   * Decodes the event at `offset`, whose size the carrier says is `size`. Returns null when it is not understood.
   * @param bytes memory that may change after the call; only a payload event refers to it
   */
  decode(bytes: Uint8Array, view: DataView, offset: number, size: number): KernelEvent | null {
    if (size < EVENT_HEADER.SIZE) return this.#malformed();
    if (view.getUint8(offset + EVENT_HEADER.version) !== VERSION) {
      this.counters.unknownVersion++;
      return null;
    }
    switch (view.getUint16(offset + EVENT_HEADER.kind, true)) {
      case EVENT_KIND.PAYLOAD:
        return size < PAYLOAD_EVENT.SIZE ? this.#malformed() : this.#decodePayload(bytes, view, offset, size);
      case EVENT_KIND.EXEC:
        return size < EXEC_EVENT.SIZE ? this.#malformed() : decodeExec(bytes, view, offset, size);
      case EVENT_KIND.FORK:
        return size < FORK_EVENT.SIZE ? this.#malformed() : decodeFork(view, offset);
      case EVENT_KIND.EXIT:
        return size < EXIT_EVENT.SIZE ? this.#malformed() : decodeExit(view, offset);
      case EVENT_KIND.ACCEPT:
        return size < ACCEPT_EVENT.SIZE ? this.#malformed() : decodeAccept(bytes, view, offset);
      case EVENT_KIND.CONNECT:
        return size < CONNECT_EVENT.SIZE ? this.#malformed() : decodeConnect(bytes, view, offset);
      case EVENT_KIND.CLOSE:
        return size < CLOSE_EVENT.SIZE ? this.#malformed() : decodeClose(view, offset);
      case EVENT_KIND.OPEN:
        return size < OPEN_EVENT.SIZE ? this.#malformed() : decodeOpen(bytes, view, offset, size);
      case EVENT_KIND.ACTION:
        return size < ACTION_EVENT.SIZE ? this.#malformed() : this.#decodeAction(bytes, view, offset, size);
      case EVENT_KIND.DATAGRAM:
        return size < DATAGRAM_EVENT.SIZE
          ? this.#malformed()
          : { ...header(view, offset), ...decodeDatagram(bytes, view, offset) };
      case EVENT_KIND.TCP:
        return size < TCP_EVENT.SIZE
          ? this.#malformed()
          : { ...header(view, offset), ...decodeTcp(bytes, view, offset) };
      case EVENT_KIND.WORK:
        return size < WORK_EVENT.SIZE ? this.#malformed() : decodeWork(view, offset);
      default:
        this.counters.unknownKind++;
        return null;
    }
  }

  #decodeAction(bytes: Uint8Array, view: DataView, offset: number, size: number): ActionEvent | null {
    const sections = new Sections(bytes, offset + ACTION_EVENT.SIZE, offset + size);
    const action = decodeAction(view, offset, sections);
    const isAimedAtAgent = (view.getUint8(offset + EVENT_HEADER.flags) & EVENT_FLAG.AGENT) !== 0;
    if (action !== null)
      return {
        ...header(view, offset),
        ...action,
        ...provenance(view, offset),
        ...(isAimedAtAgent ? { isAimedAtAgent } : {}),
      };
    this.counters.unknownKind++;
    return null;
  }

  #malformed(): null {
    this.counters.malformed++;
    return null;
  }

  #decodePayload(bytes: Uint8Array, view: DataView, offset: number, size: number): PayloadEvent {
    const event = this.#payload;
    readHeader(event, view, offset);
    event.connection = readNumber(view, offset + PAYLOAD_EVENT.connection);
    event.isPlaintext = (view.getUint8(offset + EVENT_HEADER.flags) & EVENT_FLAG.PLAINTEXT) !== 0;
    event.isDatagram = (view.getUint8(offset + EVENT_HEADER.flags) & EVENT_FLAG.CLIENT) !== 0;
    event.hasMadeRunning = (view.getUint8(offset + EVENT_HEADER.flags) & EVENT_FLAG.MADE_RUN) !== 0;
    event.sequence = view.getUint32(offset + PAYLOAD_EVENT.sequence, true);
    event.direction = view.getUint32(offset + PAYLOAD_EVENT.direction, true) === DIRECTION.OUT ? 'out' : 'in';
    event.streamOffset = readNumber(view, offset + PAYLOAD_EVENT.stream_offset);
    event.length = view.getUint32(offset + PAYLOAD_EVENT.length, true);
    const captured = view.getUint32(offset + PAYLOAD_EVENT.captured_size, true);
    const start = offset + PAYLOAD_EVENT.SIZE;
    event.bytes = bytes.subarray(start, Math.min(start + captured, offset + size));
    return event;
  }
}

/** Whether the event at `offset` is one that decode() would make a payload event of. */
export function isPayload(view: DataView, offset: number, size: number): boolean {
  return (
    size >= PAYLOAD_EVENT.SIZE &&
    view.getUint16(offset + EVENT_HEADER.kind, true) === EVENT_KIND.PAYLOAD &&
    view.getUint8(offset + EVENT_HEADER.version) === VERSION
  );
}

function emptyHeader(): EventHeader {
  return {
    timeNs: 0,
    pid: 0,
    tid: 0,
    unit: 0,
    startTicks: 0,
    cgroupId: 0,
    cpu: 0,
    stampConnection: 0,
    stampSequence: 0,
    stampOrigin: 'none',
    readyCount: 0,
    isTruncated: false,
  };
}

function readHeader(event: EventHeader, view: DataView, offset: number): void {
  event.timeNs = readNumber(view, offset + EVENT_HEADER.time_ns);
  event.pid = view.getUint32(offset + EVENT_HEADER.pid, true);
  event.tid = view.getUint32(offset + EVENT_HEADER.tid, true);
  event.unit = readNumber(view, offset + EVENT_HEADER.unit);
  event.startTicks = Math.floor(readNumber(view, offset + EVENT_HEADER.start_time_ns) / NANOSECONDS_PER_TICK);
  event.cgroupId = readNumber(view, offset + EVENT_HEADER.cgroup_id);
  event.cpu = view.getUint16(offset + EVENT_HEADER.cpu, true);
  event.stampConnection = readNumber(view, offset + EVENT_HEADER.stamp_connection);
  event.stampSequence = view.getUint32(offset + EVENT_HEADER.stamp_sequence, true);
  event.stampOrigin = ORIGINS[view.getUint8(offset + EVENT_HEADER.stamp_origin)] ?? 'none';
  event.readyCount = view.getUint8(offset + EVENT_HEADER.ready_count);
  event.isTruncated = (view.getUint8(offset + EVENT_HEADER.flags) & EVENT_FLAG.TRUNCATED) !== 0;
}

function header(view: DataView, offset: number): EventHeader {
  const event = emptyHeader();
  readHeader(event, view, offset);
  return event;
}

function decodeExec(bytes: Uint8Array, view: DataView, offset: number, size: number): ExecEvent {
  const u32 = (field: number): number => view.getUint32(offset + field, true);
  const sections = new Sections(bytes, offset + EXEC_EVENT.SIZE, offset + size);
  const path = sections.text(u32(EXEC_EVENT.path_size));
  const executable = sections.path(u32(EXEC_EVENT.executable_size));
  const workingDirectorySize = u32(EXEC_EVENT.working_directory_size);
  const workingDirectory = workingDirectorySize === 0 ? '/' : sections.path(workingDirectorySize);
  const argv = sections.list(u32(EXEC_EVENT.argv_size));
  const groupBytes = sections.next(u32(EXEC_EVENT.group_count) * 4);
  const groups: number[] = [];
  for (let at = 0; at + 4 <= groupBytes.length; at += 4)
    groups.push(view.getUint32(groupBytes.byteOffset - view.byteOffset + at, true));
  const isUnreadable = (view.getUint8(offset + EVENT_HEADER.flags) & EVENT_FLAG.UNREADABLE) !== 0;
  const stdio = (index: number): StdioType =>
    STDIO[view.getUint8(offset + EXEC_EVENT.stdio + index)] ?? 'other';
  return {
    ...header(view, offset),
    kind: 'exec',
    parentPid: u32(EXEC_EVENT.parent_pid),
    uid: u32(EXEC_EVENT.uid),
    gid: u32(EXEC_EVENT.gid),
    effectiveUid: u32(EXEC_EVENT.effective_uid),
    effectiveGid: u32(EXEC_EVENT.effective_gid),
    groups,
    inode: readNumber(view, offset + EXEC_EVENT.inode),
    device: u32(EXEC_EVENT.device),
    stdio: [stdio(0), stdio(1), stdio(2)],
    comm: fixedText(bytes, offset + EXEC_EVENT.comm, 16),
    path,
    executable: executable === '' ? path : executable,
    workingDirectory,
    argv,
    ...decodeDetails(bytes, view, sections, isUnreadable),
  };
}

type Described = Pick<ExecEvent, 'details' | 'environment'>;

/** uid_t of -1: nobody. */
const NO_UID = 0xffff_ffff;

/** null for events of recordings that have no such section. */
function decodeDetails(
  bytes: Uint8Array,
  view: DataView,
  sections: Sections,
  isUnreadable: boolean,
): Described {
  const at = sections.place(EXEC_DETAILS.SIZE);
  if (at < 0) return { details: null };
  const u32 = (field: number): number => view.getUint32(at + field, true);
  // As a double, nanoseconds since 1970 are off by some hundred.
  const timeMs = (field: number): number => Math.round(readNumber(view, at + field) / 1e3) / 1e3;
  const flags = u32(EXEC_DETAILS.flags);
  const loginUid = u32(EXEC_DETAILS.login_uid);
  const details: ExecDetails = {
    mode: u32(EXEC_DETAILS.mode),
    ownerUid: u32(EXEC_DETAILS.owner_uid),
    ownerGid: u32(EXEC_DETAILS.owner_gid),
    linkCount: u32(EXEC_DETAILS.link_count),
    changeTimeMs: timeMs(EXEC_DETAILS.change_time_ns),
    modificationTimeMs: timeMs(EXEC_DETAILS.modification_time_ns),
    fileSystem: u32(EXEC_DETAILS.file_system),
    isUpperLayer: (flags & EXEC_FLAG.UPPER_LAYER) !== 0,
    isMemoryFile: (flags & EXEC_FLAG.MEMORY_FILE) !== 0,
    interpreter: sections.text(u32(EXEC_DETAILS.interpreter_size)) || null,
    savedUid: u32(EXEC_DETAILS.saved_uid),
    savedGid: u32(EXEC_DETAILS.saved_gid),
    loginUid: loginUid === NO_UID ? null : loginUid,
    session: u32(EXEC_DETAILS.session),
    processGroup: u32(EXEC_DETAILS.process_group),
    terminal: fixedText(bytes, at + EXEC_DETAILS.terminal, 16) || null,
    capabilities: {
      effective: readNumber(view, at + EXEC_DETAILS.effective_capabilities),
      permitted: readNumber(view, at + EXEC_DETAILS.permitted_capabilities),
      inheritable: readNumber(view, at + EXEC_DETAILS.inheritable_capabilities),
    },
    hasNoNewPrivileges: (flags & EXEC_FLAG.NO_NEW_PRIVILEGES) !== 0,
    seccompMode: u32(EXEC_DETAILS.seccomp_mode),
    namespaces: {
      cgroup: u32(EXEC_DETAILS.cgroup_namespace),
      ipc: u32(EXEC_DETAILS.ipc_namespace),
      mount: u32(EXEC_DETAILS.mount_namespace),
      network: u32(EXEC_DETAILS.network_namespace),
      pid: u32(EXEC_DETAILS.pid_namespace),
      user: u32(EXEC_DETAILS.user_namespace),
      uts: u32(EXEC_DETAILS.uts_namespace),
    },
    isStartedByKernel: (flags & EXEC_FLAG.KERNEL_PARENT) !== 0,
  };
  if ((flags & EXEC_FLAG.ENVIRONMENT) === 0) return { details };
  const isCut = isUnreadable || (flags & EXEC_FLAG.ENVIRONMENT_CUT) !== 0;
  return { details, environment: { variables: sections.list(sections.left), isCut } };
}

function fixedText(bytes: Uint8Array, start: number, limit: number): ByteString {
  let end = start;
  while (end < start + limit && bytes[end] !== 0) end++;
  return byteString(bytes, start, end);
}

function decodeFork(view: DataView, offset: number): ForkEvent {
  return {
    ...header(view, offset),
    kind: 'fork',
    childPid: view.getUint32(offset + FORK_EVENT.child_pid, true),
    childStartTicks: Math.floor(
      readNumber(view, offset + FORK_EVENT.child_start_time_ns) / NANOSECONDS_PER_TICK,
    ),
  };
}

function decodeExit(view: DataView, offset: number): ExitEvent {
  const status = view.getUint32(offset + EXIT_EVENT.code, true);
  const signal = status & 0x7f;
  return { ...header(view, offset), kind: 'exit', code: signal === 0 ? (status >>> 8) & 0xff : 128 + signal };
}

function decodeAccept(bytes: Uint8Array, view: DataView, offset: number): AcceptEvent {
  let family = familyOf(view.getUint8(offset + ACCEPT_EVENT.family));
  let localAddress = rawAddress(bytes, offset + ACCEPT_EVENT.local_address, family);
  let remoteAddress = rawAddress(bytes, offset + ACCEPT_EVENT.remote_address, family);
  if (family === 'unix')
    localAddress = unixPath(
      bytes,
      offset + ACCEPT_EVENT.path,
      view.getUint32(offset + ACCEPT_EVENT.path_size, true),
    );
  const ipv4 = family === 'ipv6' ? unmapped(remoteAddress) : null;
  if (ipv4 !== null) {
    family = 'ipv4';
    localAddress = localAddress.slice(12);
    remoteAddress = ipv4;
  }
  return {
    ...header(view, offset),
    kind: 'accept',
    connection: readNumber(view, offset + ACCEPT_EVENT.connection),
    family,
    localAddress,
    localPort: view.getUint16(offset + ACCEPT_EVENT.local_port, true),
    remoteAddress,
    remotePort: view.getUint16(offset + ACCEPT_EVENT.remote_port, true),
    isClient: (view.getUint8(offset + EVENT_HEADER.flags) & EVENT_FLAG.CLIENT) !== 0,
    isAdopted: (view.getUint8(offset + EVENT_HEADER.flags) & EVENT_FLAG.ADOPTED) !== 0,
    isDatagram: view.getUint8(offset + ACCEPT_EVENT.socket_type) === SOCK_DGRAM,
    inode: readNumber(view, offset + ACCEPT_EVENT.inode),
    peerInode: readNumber(view, offset + ACCEPT_EVENT.peer_inode),
    startSequence: view.getUint32(offset + ACCEPT_EVENT.start_sequence, true),
    networkNamespace: view.getUint32(offset + ACCEPT_EVENT.network_namespace, true),
    ...descriptorAt(view, offset + ACCEPT_EVENT.descriptor),
  };
}

function decodeConnect(bytes: Uint8Array, view: DataView, offset: number): ConnectEvent {
  let family = familyOf(view.getUint8(offset + CONNECT_EVENT.family));
  let remoteAddress = rawAddress(bytes, offset + CONNECT_EVENT.remote_address, family);
  if (family === 'unix')
    remoteAddress = unixPath(
      bytes,
      offset + CONNECT_EVENT.path,
      view.getUint32(offset + CONNECT_EVENT.path_size, true),
    );
  let localAddress = rawAddress(bytes, offset + CONNECT_EVENT.local_address, family);
  const ipv4 = family === 'ipv6' ? unmapped(remoteAddress) : null;
  if (ipv4 !== null) {
    family = 'ipv4';
    remoteAddress = ipv4;
    localAddress = localAddress.slice(12);
  }
  const localPort = view.getUint16(offset + CONNECT_EVENT.local_port, true);
  const type = view.getUint8(offset + CONNECT_EVENT.socket_type);
  return {
    ...header(view, offset),
    kind: 'connect',
    family,
    transport: type === SOCK_STREAM ? 'stream' : type === SOCK_DGRAM ? 'datagram' : 'other',
    remoteAddress,
    remotePort: view.getUint16(offset + CONNECT_EVENT.remote_port, true),
    ...(localPort === 0 ? {} : { localAddress, localPort }),
    error: -view.getInt32(offset + CONNECT_EVENT.result, true) | 0,
    ...descriptorAt(view, offset + CONNECT_EVENT.descriptor),
    ...provenance(view, offset),
  };
}

function decodeClose(view: DataView, offset: number): CloseEvent {
  return {
    ...header(view, offset),
    kind: 'close',
    connection: readNumber(view, offset + CLOSE_EVENT.connection),
    bytesIn: readNumber(view, offset + CLOSE_EVENT.bytes_in),
    bytesOut: readNumber(view, offset + CLOSE_EVENT.bytes_out),
  };
}

function decodeWork(view: DataView, offset: number): WorkEvent {
  return {
    ...header(view, offset),
    kind: 'work',
    object: readNumber(view, offset + WORK_EVENT.object),
    phase: view.getUint32(offset + WORK_EVENT.phase, true) === WORK_PHASE.SUBMITTED ? 'submitted' : 'done',
  };
}

function decodeOpen(bytes: Uint8Array, view: DataView, offset: number, size: number): OpenEvent {
  const sections = new Sections(bytes, offset + OPEN_EVENT.SIZE, offset + size);
  const error = -view.getInt32(offset + OPEN_EVENT.result, true) | 0;
  const path = sections.text(view.getUint32(offset + OPEN_EVENT.path_size, true));
  const kernelPath = sections.path(view.getUint32(offset + OPEN_EVENT.resolved_size, true));
  const inode = readNumber(view, offset + OPEN_EVENT.inode);
  let resolvedPath = kernelPath;
  const origin = provenance(view, offset);
  // Its file may be known to the ring alone: then the kernel's path is that of the directory in which the passed one began.
  if (error !== 0 || (origin.isViaRing === true && inode === 0))
    resolvedPath = normalisePath(path.startsWith('/') ? path : `${kernelPath}/${path}`);
  else if (kernelPath === '') resolvedPath = path.startsWith('/') ? normalisePath(path) : '/';
  return {
    ...header(view, offset),
    kind: 'open',
    error,
    flags: view.getUint32(offset + OPEN_EVENT.open_flags, true),
    inode,
    device: view.getUint32(offset + OPEN_EVENT.device, true),
    path,
    resolvedPath,
    ...descriptorAt(view, offset + OPEN_EVENT.descriptor),
    ...origin,
  };
}
