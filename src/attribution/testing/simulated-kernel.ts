/** A made-up host that gives the events that the kernel side would give: bpf/lib/stamp.h and bpf/sensors/ as a model. */

import { bytesOf, type ByteString } from '../../base/bytes.ts';
import type { EventHeader, KernelEvent, PayloadEvent, StampOrigin } from '../../model/event.ts';

const INBOUND_LIMIT = 8192;
const OUTBOUND_LIMIT = 1024;
const WRITES_TOLD = 16;

/** What the kernel side keeps of a thread that has a stamp, had one, or waits in a serving process. */
interface ThreadState {
  socket: SimulatedConnection | null;
  connection: number;
  sequence: number;
  origin: StampOrigin;
  readyCount: number;
  /** It has come back from epoll_wait. */
  isLoop: boolean;
}

export interface SimulatedProcess {
  readonly pid: number;
  readonly startTicks: number;
  readonly parentPid: number;
  isServing: boolean;
}

/** What executes: a thread, or a goroutine or task on one. */
export interface SimulatedThread {
  readonly tid: number;
  /** Number of the goroutine or task; undefined for a thread. */
  readonly unit?: number;
  /** Of a task: which other one had made it, and when. */
  readonly maker?: { readonly unit: number; readonly madeNs: number };
  readonly process: SimulatedProcess;
  state: ThreadState | null;
}

export interface SimulatedConnection {
  readonly id: number;
  readonly isUnix: boolean;
  readonly ownerPid: number;
  sequence: number;
  direction: 'none' | 'in' | 'out';
  bytesIn: number;
  bytesOut: number;
  captured: number;
  writes: number;
  nextReport: number;
  /** User space has said that nobody reads its protocol. */
  isIgnored: boolean;
}

/** A connection that a process made to another service. */
export interface SimulatedClient {
  readonly id: number;
  readonly ownerPid: number;
  isNamed: boolean;
  sequence: number;
  direction: 'none' | 'in' | 'out';
  bytesIn: number;
  bytesOut: number;
  /** The request that waits for its answer. */
  owner: { connection: number; sequence: number } | null;
  isShared: boolean;
}

export class SimulatedKernel {
  nowNs = 1e9;
  /** Payload events are not handed over while it is set, as when their ring is full. */
  losesPayload = false;
  readonly #emit: (event: KernelEvent) => void;
  #pids = 1000;
  #connections = 0;
  #objects = 0;
  readonly #lent = new Map<number, { connection: number; sequence: number }>();

  constructor(emit: (event: KernelEvent) => void) {
    this.#emit = emit;
  }

  /** A process that was there before. The result is its main thread. */
  process(pid = ++this.#pids, startTicks = 100 + pid): SimulatedThread {
    return { tid: pid, process: { pid, startTicks, parentPid: 1, isServing: false }, state: null };
  }

  /** clone() of a thread: it inherits the stamp, and no event tells of it. */
  thread(parent: SimulatedThread, tid = ++this.#pids): SimulatedThread {
    return { tid, process: parent.process, state: inherited(parent.state, 'thread') };
  }

  /** A goroutine, now on this thread. */
  goroutine({ tid, process }: SimulatedThread): SimulatedThread {
    return { tid, process, unit: unitOf(process, ++this.#objects), state: null };
  }

  /** context_made(): a task of asyncio, made by whoever runs. */
  task(maker: SimulatedThread): SimulatedThread {
    const { state } = maker;
    const isInherited = state !== null && !state.isLoop && ['read', 'task', 'subtask'].includes(state.origin);
    const origin = state?.origin === 'read' ? 'task' : 'subtask';
    return {
      ...this.goroutine(maker),
      ...(maker.unit === undefined ? {} : { maker: { unit: maker.unit, madeNs: this.nowNs } }),
      state: isInherited ? { ...state, origin, readyCount: 0 } : null,
    };
  }

  /** What asyncio.to_thread runs on another thread, in a context of its own. */
  onThread(maker: SimulatedThread, thread: SimulatedThread): SimulatedThread {
    const task = this.task(maker);
    return {
      ...task,
      tid: thread.tid,
      state: task.state === null ? null : { ...task.state, origin: 'task' },
    };
  }

  fork(parent: SimulatedThread, childPid = ++this.#pids): SimulatedThread {
    const child: SimulatedThread = {
      tid: childPid,
      process: {
        pid: childPid,
        startTicks: Math.floor(this.nowNs / 1e7) + childPid,
        parentPid: parent.process.pid,
        isServing: parent.process.isServing,
      },
      state: inherited(parent.state, 'process'),
    };
    this.#emit({
      ...this.header(parent),
      kind: 'fork',
      childPid,
      childStartTicks: child.process.startTicks,
    });
    return child;
  }

  exec(
    thread: SimulatedThread,
    argv: readonly ByteString[],
    path: ByteString = `/usr/bin/${argv[0] ?? ''}`,
  ): void {
    this.#emit({
      ...this.header(thread),
      kind: 'exec',
      parentPid: thread.process.parentPid,
      uid: 33,
      gid: 33,
      effectiveUid: 33,
      effectiveGid: 33,
      groups: [33],
      inode: 7,
      device: 8,
      stdio: ['device', 'pipe', 'pipe'],
      comm: argv[0] ?? '',
      path,
      executable: path,
      workingDirectory: '/srv/app',
      argv: [...argv],
    });
  }

  exit(thread: SimulatedThread, code = 0): void {
    this.#emit({ ...this.header(thread), kind: 'exit', code });
    thread.process.isServing = false;
    thread.state = null;
  }

  open(thread: SimulatedThread, path: ByteString, flags = 0): void {
    this.#emit({
      ...this.header(thread),
      kind: 'open',
      error: 0,
      flags,
      inode: 9,
      device: 8,
      path,
      resolvedPath: path,
    });
  }

  connect(thread: SimulatedThread, remotePort: number, remoteAddress = '\x0a\x00\x00\x05'): void {
    this.#emit({
      ...this.header(thread),
      kind: 'connect',
      family: 'ipv4',
      transport: 'stream',
      remoteAddress,
      remotePort,
      error: 0,
    });
  }

  /**
   * exit_accept: whoever asks for the next connection has finished with the last request.
   * @param from the other end, where it is on this host
   */
  accept(thread: SimulatedThread, isUnix = false, from: SimulatedClient | null = null): SimulatedConnection {
    clear(thread, 'none');
    const connection: SimulatedConnection = {
      id: this.nextConnection(),
      isUnix,
      ownerPid: thread.process.pid,
      sequence: 0,
      direction: 'none',
      bytesIn: 0,
      bytesOut: 0,
      captured: 0,
      writes: 0,
      nextReport: 0,
      isIgnored: false,
    };
    this.#emit({
      ...this.header(thread),
      kind: 'accept',
      connection: connection.id,
      family: isUnix ? 'unix' : 'ipv4',
      localAddress: isUnix ? '/run/app.sock' : '\x7f\x00\x00\x01',
      localPort: isUnix ? 0 : from === null ? 8080 : 5432,
      remoteAddress: isUnix ? '' : from === null ? '\xcb\x00\x71\x09' : '\x7f\x00\x00\x01',
      remotePort: isUnix ? 0 : from === null ? 40_000 + this.#connections : 50_000,
      isAdopted: false,
      ...(from === null ? {} : { startSequence: from.id }),
    });
    return connection;
  }

  /** inbound(): told before the stamp changes. */
  read(thread: SimulatedThread, connection: SimulatedConnection, content: ByteString): void {
    if (connection.isIgnored) {
      clear(thread, 'none');
      return;
    }
    if (connection.direction !== 'in') {
      connection.direction = 'in';
      connection.sequence++;
      connection.captured = 0;
    }
    const offset = connection.bytesIn;
    connection.bytesIn += content.length;
    const room = Math.max(0, INBOUND_LIMIT - connection.captured);
    if (room > 0) this.#payload(thread, connection, 'in', offset, content.length, content.slice(0, room));
    thread.process.isServing = true;
    thread.state = {
      socket: connection,
      connection: connection.id,
      sequence: connection.sequence,
      origin: 'read',
      readyCount: thread.state?.readyCount ?? 0,
      isLoop: thread.state?.isLoop ?? false,
    };
  }

  /** next_connection_id() */
  nextConnection(): number {
    return (++this.#connections << 8) | 1;
  }

  /** A connection to another service, which is told at its first question. */
  client(thread: SimulatedThread): SimulatedClient {
    return {
      id: this.nextConnection(),
      ownerPid: thread.process.pid,
      isNamed: false,
      sequence: 0,
      direction: 'none',
      bytesIn: 0,
      bytesOut: 0,
      owner: null,
      isShared: false,
    };
  }

  /** A connection that is told when it is made, and not when something is asked first. */
  openClient(thread: SimulatedThread): SimulatedClient {
    const client = this.client(thread);
    this.#name(thread, client);
    return client;
  }

  #name(thread: SimulatedThread, client: SimulatedClient): void {
    client.isNamed = true;
    this.#emit({
      ...this.header(thread),
      kind: 'accept',
      connection: client.id,
      family: 'ipv4',
      localAddress: '\x7f\x00\x00\x01',
      localPort: 50_000,
      remoteAddress: '\x7f\x00\x00\x01',
      remotePort: 5432,
      isAdopted: false,
      isClient: true,
      startSequence: client.id,
    });
  }

  /** question() */
  ask(thread: SimulatedThread, client: SimulatedClient, content: ByteString): void {
    if (!thread.process.isServing) return;
    if (!client.isNamed) this.#name(thread, client);
    const stamp = stampOf(thread);
    if (client.direction !== 'out') {
      client.direction = 'out';
      client.sequence++;
      client.owner = stamp;
    } else if (stamp?.connection !== client.owner?.connection || stamp?.sequence !== client.owner?.sequence) {
      client.isShared = true;
    }
    const offset = client.bytesOut;
    client.bytesOut += content.length;
    this.#transfer(thread, client, 'out', offset, content);
  }

  /** answer() */
  answer(thread: SimulatedThread, client: SimulatedClient, content: ByteString): void {
    if (!client.isNamed) return;
    client.direction = 'in';
    const offset = client.bytesIn;
    client.bytesIn += content.length;
    this.#transfer(thread, client, 'in', offset, content);
    const { state } = thread;
    if (state === null || !state.isLoop) return;
    if (client.owner === null || client.isShared) clear(thread, 'waited');
    else thread.state = { ...state, ...client.owner, socket: null, origin: 'linked' };
  }

  /** ended(): the end of a client's connection, or an error, was read. */
  end(thread: SimulatedThread, client: SimulatedClient): void {
    const { state } = thread;
    if (state === null || !state.isLoop) return;
    if (client.owner === null || client.isShared) clear(thread, 'waited');
    else thread.state = { ...state, ...client.owner, socket: null, origin: 'linked' };
  }

  /** read_unknown(): a pipe, an event counter, a socket that is not followed. */
  readOther(thread: SimulatedThread): void {
    if (thread.state?.isLoop === true && thread.state.connection !== 0) clear(thread, 'waited');
  }

  /** lend_object(): the request that the thread serves waits for this object; 0 when it serves none. */
  submit(thread: SimulatedThread): number {
    const stamp = stampOf(thread);
    if (stamp === null) return 0;
    const object = ++this.#objects * 64;
    this.#lent.set(object, stamp);
    this.#emit({ ...this.header(thread), kind: 'work', object, phase: 'submitted' });
    return object;
  }

  /** work_on_object(): a thread of the pool begins with it. */
  runWork(thread: SimulatedThread, object: number): void {
    const lent = this.#lent.get(object);
    if (lent === undefined) clear(thread, 'none');
    else thread.state = { ...lent, socket: null, origin: 'work', readyCount: 0, isLoop: false };
  }

  /** return_object(): the loop goes on with the request that had handed it over. */
  finishWork(thread: SimulatedThread, object: number): void {
    const lent = this.#lent.get(object);
    if (lent === undefined) {
      this.readOther(thread);
      return;
    }
    this.#emit({ ...this.header(thread), kind: 'work', object, phase: 'done' });
    if (thread.state?.isLoop === true)
      thread.state = { ...thread.state, ...lent, socket: null, origin: 'linked' };
    this.#lent.delete(object);
  }

  /** return_socket(): the loop reads from the pair that a request had made for a program. No event tells of it. */
  readPair(thread: SimulatedThread, owner: { connection: number; sequence: number }): void {
    if (thread.state !== null) thread.state = { ...thread.state, ...owner, socket: null, origin: 'linked' };
  }

  /** outbound(): the first writes of a reply are all told, later ones at each doubling. */
  write(
    thread: SimulatedThread,
    connection: SimulatedConnection,
    content: ByteString,
    length = content.length,
  ): void {
    if (connection.isIgnored) return;
    if (connection.direction !== 'out') {
      connection.direction = 'out';
      connection.captured = 0;
      connection.writes = 0;
    }
    const offset = connection.bytesOut;
    connection.bytesOut += length;
    connection.writes++;
    const room = Math.max(0, OUTBOUND_LIMIT - connection.captured);
    if (room === 0 && connection.writes > WRITES_TOLD && connection.bytesOut < connection.nextReport) return;
    connection.nextReport = connection.bytesOut * 2;
    this.#payload(thread, connection, 'out', offset, length, content.slice(0, room));
  }

  /** exit_epoll_wait */
  epollWait(thread: SimulatedThread, readyCount = 1): void {
    if (thread.state !== null) clear(thread, 'waited');
    else if (thread.process.isServing)
      thread.state = {
        socket: null,
        connection: 0,
        sequence: 0,
        origin: 'waited',
        readyCount,
        isLoop: true,
      };
    if (thread.state !== null) thread.state = { ...thread.state, readyCount, isLoop: true };
  }

  /** exit_poll: also poll and select inside a request, so they end it only when its reply has begun. */
  poll(thread: SimulatedThread): void {
    const { state } = thread;
    if (state === null || state.connection === 0) return;
    if (state.socket?.direction === 'out') clear(thread, 'none');
  }

  /** A TCP socket leaves the established state; unix sockets have no such event. */
  close(connection: SimulatedConnection): void {
    if (connection.isUnix) return;
    this.#emit({
      timeNs: (this.nowNs += 1000),
      pid: connection.ownerPid,
      tid: connection.ownerPid,
      unit: connection.ownerPid,
      startTicks: 0,
      cgroupId: 0,
      cpu: 0,
      stampConnection: 0,
      stampSequence: 0,
      stampOrigin: 'none',
      readyCount: 0,
      isTruncated: false,
      kind: 'close',
      connection: connection.id,
      bytesIn: connection.bytesIn,
      bytesOut: connection.bytesOut,
    });
  }

  #transfer(
    thread: SimulatedThread,
    client: SimulatedClient,
    direction: PayloadEvent['direction'],
    streamOffset: number,
    content: ByteString,
  ): void {
    const header = this.header(thread);
    if (this.losesPayload) return;
    this.#emit({
      ...header,
      kind: 'payload',
      connection: client.id,
      sequence: client.sequence,
      direction,
      streamOffset,
      length: content.length,
      bytes: bytesOf(content),
    });
  }

  #payload(
    thread: SimulatedThread,
    connection: SimulatedConnection,
    direction: PayloadEvent['direction'],
    streamOffset: number,
    length: number,
    content: ByteString,
  ): void {
    const bytes = bytesOf(content);
    connection.captured += bytes.length;
    const header = this.header(thread);
    if (this.losesPayload) return;
    this.#emit({
      ...header,
      kind: 'payload',
      connection: connection.id,
      sequence: connection.sequence,
      direction,
      streamOffset,
      length,
      bytes,
    });
  }

  /** fill_header() */
  header(thread: SimulatedThread): EventHeader {
    const { maker } = thread;
    const isMade = maker !== undefined && (thread.state?.connection ?? 0) === 0;
    return {
      timeNs: (this.nowNs += 1000),
      pid: thread.process.pid,
      tid: thread.tid,
      unit: thread.unit ?? thread.tid,
      startTicks: thread.process.startTicks,
      cgroupId: 1,
      cpu: 0,
      stampConnection: isMade ? maker.unit : (thread.state?.connection ?? 0),
      stampSequence: isMade ? Math.floor(maker.madeNs / 1024) % 2 ** 32 : (thread.state?.sequence ?? 0),
      stampOrigin: isMade ? 'made' : (thread.state?.origin ?? 'none'),
      readyCount: thread.state?.readyCount ?? 0,
      isTruncated: false,
    };
  }
}

/** unit_key() */
function unitOf({ pid }: SimulatedProcess, identity: number): number {
  return pid * 2 ** 31 + identity;
}

/** lend_stamp() */
export function stampOf({ state }: SimulatedThread): { connection: number; sequence: number } | null {
  return state === null || state.connection === 0
    ? null
    : { connection: state.connection, sequence: state.sequence };
}

function inherited(state: ThreadState | null, origin: StampOrigin): ThreadState | null {
  return state === null
    ? null
    : { ...state, readyCount: 0, isLoop: false, origin: state.connection === 0 ? 'none' : origin };
}

export function clear(thread: SimulatedThread, origin: StampOrigin): void {
  if (thread.state === null) return;
  thread.state.connection = 0;
  thread.state.sequence = 0;
  thread.state.origin = origin;
}
