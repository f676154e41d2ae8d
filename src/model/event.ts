import type { ByteString } from '../base/bytes.ts';
import type { ActionName } from './actions.ts';
import type { Container } from './container.ts';
import type { Environment } from './environment.ts';
import type { ExecDetails } from './exec-details.ts';
import type { HashProblem } from './executable.ts';
import type { StdioType } from './process.ts';
import type { SyscallName } from './syscalls.ts';

/**
 * Decoded kernel events: what happened, nothing concluded yet. Every event begins with the same header. The request
 * stamp is the kernel's cheap guess (the last request that this thread began to read); attribution refines it.
 */
export interface EventHeader {
  /** Nanoseconds since boot (CLOCK_BOOTTIME). */
  timeNs: number;
  /** Process id (the kernel's tgid) as the host sees it. */
  pid: number;
  tid: number;
  /** What executes: the thread's id, or the number of a goroutine or task, which is no thread's id. */
  unit: number;
  /** Start time of the process in clock ticks of 10 ms since boot, as in /proc/PID/stat. */
  startTicks: number;
  cgroupId: number;
  cpu: number;
  /** Connection that the thread is serving, 0 for none. */
  stampConnection: number;
  /** Number of the inbound message on that connection. */
  stampSequence: number;
  /** How the thread came by its stamp. 'none' where it has none. */
  stampOrigin: StampOrigin;
  /** Descriptors that the thread's last epoll_wait gave it to handle, 255 for more; 0 where it was none. */
  readyCount: number;
  /** Some field of the event did not fit and was cut. */
  isTruncated: boolean;
}

/**
 * - read: the thread read the request itself
 * - process, thread: it was born by a thread that had the stamp
 * - linked: an event loop read the answer to what the stamped request had asked another service
 * - work: a thread of a pool runs what the stamped request had handed over
 * - task: it is a task that was made while the stamped request was served
 * - made: no stamp; a task that another task had made, which served no request that is known. Then stampConnection is the
 *   maker's unit, and stampSequence the time when: see src/attribution/maker.ts
 * - subtask: as task, made by another task of the request: a child of it, or one that serves a pool from then on
 * - waited: no stamp; the thread came back from epoll_wait and has not read a request since
 */
export type StampOrigin =
  | 'none'
  | 'read'
  | 'process'
  | 'thread'
  | 'waited'
  | 'linked'
  | 'work'
  | 'task'
  | 'made'
  | 'subtask';

export interface ExecEvent extends EventHeader {
  kind: 'exec';
  parentPid: number;
  uid: number;
  gid: number;
  effectiveUid: number;
  effectiveGid: number;
  groups: number[];
  inode: number;
  device: number;
  stdio: [StdioType, StdioType, StdioType];
  comm: ByteString;
  /** As passed to execve. */
  path: ByteString;
  executable: ByteString;
  workingDirectory: ByteString;
  argv: ByteString[];
  /** null or absent: recorded by a version that did not tell them. */
  details?: ExecDetails | null;
  /** null or absent: nobody asked for it. */
  environment?: Environment | null;
}

/** A process (never a mere thread) was made. The header is the parent's. */
export interface ForkEvent extends EventHeader {
  kind: 'fork';
  childPid: number;
  childStartTicks: number;
}

/** The last thread of a process ended. */
export interface ExitEvent extends EventHeader {
  kind: 'exit';
  /** Exit code, or 128 + signal. */
  code: number;
}

export interface AcceptEvent extends EventHeader {
  kind: 'accept';
  connection: number;
  family: 'ipv4' | 'ipv6' | 'unix';
  /** Raw address bytes: 4 (also for IPv4 in IPv6), 16, or the path of the listening unix socket. */
  localAddress: string;
  localPort: number;
  remoteAddress: string;
  remotePort: number;
  /** Its first bytes were not seen: it was open when the agent came, or made before its process served anybody. */
  isAdopted: boolean;
  /** It was made by the process, to ask another service; absent: no, accepted. Told at the first question. */
  isClient?: boolean;
  /** A UDP socket: each of its payload events is one whole datagram, though perhaps not captured whole. Absent: no. */
  isDatagram?: boolean;
  /** Of a unix socket and of the one at the other end; absent or 0: not known. */
  inode?: number;
  peerInode?: number;
  /** TCP: number of the first byte that the client sends, which both ends know; absent or 0: not known. */
  startSequence?: number;
  networkNamespace?: number;
  /** Of an accepted connection. Absent: not known. */
  descriptor?: number;
}

/** How far what an event names can be trusted, and which way it came. */
export interface Provenance {
  /**
   * The path or address that was passed was read from the caller's memory when the call was over: another thread may have put
   * it there meanwhile. Absent: from the kernel's own objects or copies.
   */
  isFromCaller?: true;
  /** Asked for through io_uring. It is told when it is submitted (EINPROGRESS), and once more with its result. */
  isViaRing?: true;
}

export interface ConnectEvent extends EventHeader, Provenance {
  kind: 'connect';
  family: 'ipv4' | 'ipv6' | 'unix';
  transport: 'stream' | 'datagram' | 'other';
  remoteAddress: string;
  remotePort: number;
  /** This end, of IPv4 and IPv6, as soon as the kernel has chosen it. Absent: not known, as of a connection that failed. */
  localAddress?: string;
  localPort?: number;
  /** 0, or the errno as a positive number (EINPROGRESS is 115). */
  error: number;
  /** Of the socket. Absent: not known. */
  descriptor?: number;
}

export interface CloseEvent extends EventHeader {
  kind: 'close';
  connection: number;
  bytesIn: number;
  bytesOut: number;
}

/** Bytes on a connection that a serving process accepted or made. `bytes` points into the ring: valid only during the call. */
export interface PayloadEvent extends EventHeader {
  kind: 'payload';
  connection: number;
  sequence: number;
  direction: 'in' | 'out';
  /** Position of the first byte in this direction of the stream, since the connection was first seen. */
  streamOffset: number;
  /** So many bytes were transferred by the call; bytes.length of them were captured. */
  length: number;
  /**
   * The bytes passed through a TLS library: the connection's ciphertext has its own, and its offsets begin anew with them.
   * Absent: no.
   */
  isPlaintext?: boolean;
  /** One datagram of a UDP socket on which the process asks others. Absent: no. */
  isDatagram?: boolean;
  /** Goroutines that the writer has made in its request have done something, and still run. Absent: no. */
  hasMadeRunning?: boolean;
  bytes: Uint8Array;
}

/** The first datagram between a socket and a remote that it is not connected to. */
export interface DatagramEvent extends EventHeader, Provenance {
  kind: 'datagram';
  direction: 'in' | 'out';
  family: 'ipv4' | 'ipv6' | 'unix';
  transport: 'datagram' | 'raw' | 'other';
  /** 0 where it has none. */
  localPort: number;
  /** Raw address bytes, or the path of a unix socket. */
  remoteAddress: string;
  remotePort: number;
}

/** A TCP connection of anybody is over: what the kernel had counted. The pid is 0 where its owner is not known. */
export interface TcpEvent extends EventHeader {
  kind: 'tcp';
  family: 'ipv4' | 'ipv6';
  role: 'client' | 'server' | null;
  localAddress: string;
  localPort: number;
  remoteAddress: string;
  remotePort: number;
  /** TCP_* of include/net/tcp_states.h: the state that it was in before it was closed. */
  lastState: number;
  /** errno that the socket ended with, positive; 0 for none. */
  error: number;
  /** With what was sent again. */
  bytesSent: number;
  bytesReceived: number;
  bytesAcked: number;
  retransmits: number;
  segmentsOut: number;
  segmentsIn: number;
  /** Since it was established; 0: never, or not known. */
  durationUs: number;
}

export interface OpenEvent extends EventHeader, Provenance {
  kind: 'open';
  /** 0, or the errno as a positive number. */
  error: number;
  flags: number;
  inode: number;
  device: number;
  path: ByteString;
  /** Kernel's own path when it succeeded, else passed path joined to the directory it was relative to. */
  resolvedPath: ByteString;
  /** Of the file that was opened. Absent: it was not, or the number is not known. */
  descriptor?: number;
}

/** Work that a request has handed over to a pool, or to a program that it started, and waits for. */
export interface WorkEvent extends EventHeader {
  kind: 'work';
  /** Address in the process: names it from submitted to done. */
  object: number;
  phase: 'submitted' | 'done';
}

/** A system call of the catalogue (src/model/actions.ts). */
export interface ActionEvent extends EventHeader, Provenance {
  kind: 'action';
  action: ActionName;
  syscall: SyscallName;
  /** What the call returned; negative: an error. */
  result: number;
  /** It is done to the agent itself. Absent: no. */
  isAimedAtAgent?: boolean;
  /** In the order of the catalogue's; paths are absolute and normalised. */
  arguments: ActionArgument[];
}

/** A number, or the bytes of a text or path. */
export type ActionArgument = number | ByteString;

export type KernelEvent =
  | ExecEvent
  | ForkEvent
  | ExitEvent
  | AcceptEvent
  | ConnectEvent
  | CloseEvent
  | PayloadEvent
  | OpenEvent
  | DatagramEvent
  | TcpEvent
  | WorkEvent
  | ActionEvent;

export type KernelEventKind = KernelEvent['kind'];

/** Classes of events that a cgroup has a budget of, in the order of enum budget_class in bpf/abi.h. */
export const BLIND_CLASSES = ['file', 'network', 'action', 'program'] as const;
export type BlindClass = (typeof BLIND_CLASSES)[number];

/**
 * What user space learned about the host, in the same stream as the events and recorded with them, so that the brain
 * needs no host. A fact precedes the events that need it, but for those that are answers of others.
 */
export type Fact =
  | { kind: 'clock'; bootNs: number; wallMs: number }
  | { kind: 'host'; hostname: string; kernel: string; architecture: string; sessionId: string }
  | {
      /** A process that was there before the agent, out of /proc. */
      kind: 'process';
      pid: number;
      parentPid: number;
      startTicks: number;
      comm: ByteString;
      executable: ByteString;
      argv: ByteString[];
      workingDirectory: ByteString;
      uid: number;
      gid: number;
      cgroupId: number;
      /** The variables that were asked for, as NAME=value. Absent: none were. */
      environment?: ByteString[];
    }
  /** The agent itself, and who started it. */
  | { kind: 'agent'; pid: number; parentPid: number }
  /** Somebody has changed what the kernel side is told to do; what that was, for people. It was put right. */
  | { kind: 'tampered'; timeNs: number; what: string[] }
  /** An agent before this one ended without a word: it was killed. startedAt: ISO-8601, or '' where it is not known. */
  | { kind: 'killed'; timeNs: number; pid: number; startedAt: string }
  /** Path of a cgroup, all lines of /proc/PID/cgroup or the path in the cgroup2 mount. */
  | { kind: 'cgroup'; cgroupId: number; paths: string[] }
  /** What a container runtime has answered. It comes when it comes: events of the container do not wait for it. */
  | ({ kind: 'container' } & Container)
  /** Of the host's passwd database. home and shell are absent in recordings of earlier versions, and '' where nothing is said. */
  | { kind: 'user'; uid: number; name: string; home?: string; shell?: string }
  | { kind: 'group'; gid: number; name: string }
  /** Executables are hashed for those who ask: answers may be waited for. */
  | { kind: 'hashing' }
  /** Of an executable file, by the key of the question: its SHA-256, or '' and why there is none. */
  | { kind: 'hash'; file: string; sha256: string; problem: HashProblem | '' }
  /**
   * Events that were lost since the last such fact, by reason. Whose bytes were lost, where that is known of all bytes: process
   * ids; absent: nobody knows.
   */
  | { kind: 'loss'; timeNs: number; reasons: Record<string, number>; readers?: readonly number[] }
  /** Security events that were lost between two times, in nanoseconds since boot; cgroupId 0: of no cgroup in particular. */
  | {
      kind: 'blind';
      timeNs: number;
      reason: 'security-ring-full' | 'cgroup-budget' | 'program-runs-left-out';
      /** What would be known of them. Absent: this and that, or a recording that does not tell. */
      what?: BlindClass;
      cgroupId: number;
      events: number;
      fromNs: number;
      untilNs: number;
    };
