import { DIRECTION, EVENT_HEADER, PAYLOAD_EVENT } from '../abi/abi.gen.ts';
import { readNumber } from '../abi/sections.ts';
import type { Attributor } from '../attribution/attribution.ts';
import type { PlainLook } from '../protocols/contract.ts';
import type { Streams } from '../protocols/streams.ts';

/** Bytes of events that are kept of one process. At a kilobyte an exchange that is twice what attribution remembers. */
const KEPT_BYTES = 64 * 1024;
const MAX_KEPT_EVENTS = 512;
/** Attribution remembers 32 answered requests: fewer are never kept, or content would be believed too easily. */
const LEAST_KEPT_EVENTS = 64;
/** An event that is larger is read at once. */
const MAX_EVENT_BYTES = 4096;
/** Processes that are kept for; those of more are read. */
const MAX_SERVERS = 64;
/**
 * A process in which something keeps happening is read at once: after a wake-up that found fewer events than this, it
 * gets a pause of so many requests, which doubles each time.
 */
const WORTHWHILE_EVENTS = 32;
const SHORTEST_PAUSE = 16;
const LONGEST_PAUSE = 1024;
const HEADER_BYTES = PAYLOAD_EVENT.SIZE;

type Read = (bytes: Uint8Array, view: DataView, offset: number, size: number) => void;

/** A connection whose exchanges are left out, as far as they are plain. */
interface PlainConnection {
  readonly server: PlainServer;
  readonly look: PlainLook;
  readonly tid: number;
  sequence: number;
  inboundOffset: number;
  outboundOffset: number;
  isWaiting: boolean;
  /** Exchanges up to this one were dropped. */
  droppedSequence: number;
}

/** The last plain exchanges of one process, as the kernel told them, oldest first. */
class PlainServer {
  readonly startTime: number;
  hasJuggled = false;
  readonly connections = new Map<number, PlainConnection>();
  readonly bytes = new Uint8Array(KEPT_BYTES);
  readonly view = new DataView(this.bytes.buffer);
  readonly #words = new Int32Array(this.bytes.buffer);
  readonly offsets = new Int32Array(MAX_KEPT_EVENTS);
  readonly sizes = new Int32Array(MAX_KEPT_EVENTS);
  readonly sequences = new Uint32Array(MAX_KEPT_EVENTS);
  /** Whose they are. */
  readonly owners: PlainConnection[] = [];
  /** Events are numbered; number modulo MAX_KEPT_EVENTS is their place. */
  first = 0;
  next = 0;
  waitingCount = 0;
  /** Requests that are still to be read at once. */
  pause = 0;
  #lastPause = SHORTEST_PAUSE / 2;
  #end = 0;

  constructor(startTime: number) {
    this.startTime = startTime;
  }

  /** Begins anew, after a while if this time was too short. */
  reset(): void {
    const isWorthwhile = this.next >= WORTHWHILE_EVENTS;
    this.#lastPause = isWorthwhile ? SHORTEST_PAUSE / 2 : Math.min(LONGEST_PAUSE, this.#lastPause * 2);
    this.pause = isWorthwhile ? 0 : this.#lastPause;
    this.first = 0;
    this.next = 0;
    this.waitingCount = 0;
    this.#end = 0;
    this.owners.length = 0;
    this.connections.clear();
  }

  /** Where an event of this size can be put now; -1 while older ones are in its way. */
  placeFor(size: number): number {
    if (this.next === this.first) return 0;
    if (this.next - this.first >= MAX_KEPT_EVENTS) return -1;
    const oldest = this.offsets[this.first % MAX_KEPT_EVENTS] as number;
    if (this.#end > oldest) {
      if (this.#end + size <= KEPT_BYTES) return this.#end;
      return size <= oldest ? 0 : -1;
    }
    return this.#end + size <= oldest ? this.#end : -1;
  }

  put(owner: PlainConnection, bytes: Uint8Array, offset: number, size: number, place: number): void {
    copyWords(bytes, offset, this.#words, place, size);
    const slot = this.next++ % MAX_KEPT_EVENTS;
    this.offsets[slot] = place;
    this.sizes[slot] = size;
    this.sequences[slot] = owner.sequence;
    this.owners[slot] = owner;
    this.#end = place + ((size + 7) & ~7);
  }
}

let source: Uint8Array | null = null;
let sourceStart = 0;
let sourceWords: Int32Array = new Int32Array(0);

/** Copies an event of a few hundred bytes by words: faster than a view for each, and than byte by byte. */
function copyWords(from: Uint8Array, offset: number, to: Int32Array, place: number, size: number): void {
  // Asking an array for its buffer is a call.
  if (source !== from) {
    source = from;
    sourceStart = from.byteOffset;
    sourceWords = new Int32Array(from.buffer, 0, from.buffer.byteLength >> 2);
  }
  const start = sourceStart + offset;
  const words = (size + 3) >> 2;
  if ((start & 3) !== 0 || (start >> 2) + words > sourceWords.length) {
    new Uint8Array(to.buffer).set(from.subarray(offset, offset + size), place);
    return;
  }
  const first = start >> 2;
  const target = place >> 2;
  for (let index = 0; index < words; index++) to[target + index] = sourceWords[first + index] as number;
}

/**
 * Leaves plain exchanges unread. Nearly all requests have no effect and look like nothing; what they cost is what the
 * product costs. So of a process whose threads are known, plain exchanges are only kept as they came, and dropped when
 * others have taken their place; when anything happens in the process that is not one of them, what is kept is read
 * first, in order, and attribution knows all that it would have known. One look at the bytes decides, see PlainLook.
 */
export class PlainExchanges {
  /** Exchanges that were never read. */
  dropped = 0;
  readonly #servers = new Map<number, PlainServer>();
  readonly #connections = new Map<number, PlainConnection>();
  #lastId = 0;
  #last: PlainConnection | undefined;
  readonly #streams: Streams;
  readonly #attributor: Attributor;
  readonly #read: Read;

  /** @param read reads one event in full */
  constructor(streams: Streams, attributor: Attributor, read: Read) {
    this.#streams = streams;
    this.#attributor = attributor;
    this.#read = read;
  }

  /**
   * Keeps a payload event unread when it is half of a plain exchange. Otherwise the caller has to read it now: what was
   * kept of the process before has been read then.
   */
  keep(bytes: Uint8Array, view: DataView, offset: number, size: number): boolean {
    const id = readNumber(view, offset + PAYLOAD_EVENT.connection);
    const connection = this.#find(id) ?? this.#begin(view, offset, id);
    if (connection === null) return false;
    const { server } = connection;
    if (
      size <= MAX_EVENT_BYTES &&
      view.getUint32(offset + EVENT_HEADER.tid, true) === connection.tid &&
      (view.getUint32(offset + PAYLOAD_EVENT.direction, true) === DIRECTION.IN
        ? this.#keepRequest(connection, server, bytes, view, offset, size)
        : this.#keepReply(connection, server, bytes, view, offset, size))
    )
      return true;
    this.#wake(server);
    return false;
  }

  /** Something else happens in this process: what was kept of it is read first. */
  wake(pid: number): void {
    const server = this.#servers.get(pid);
    if (server !== undefined) this.#wake(server);
  }

  /** The connection ends. */
  closing(connection: number): void {
    const plain = this.#connections.get(connection);
    if (plain !== undefined) this.#wake(plain.server);
  }

  /** The process is gone. */
  exited(pid: number): void {
    const server = this.#servers.get(pid);
    if (server !== undefined) this.#forget(pid, server);
  }

  /** Reads everything that is kept. */
  wakeAll(): void {
    for (const server of this.#servers.values()) this.#wake(server);
  }

  /** A reply mostly follows its request. */
  #find(id: number): PlainConnection | undefined {
    if (this.#last !== undefined && this.#lastId === id) return this.#last;
    this.#last = this.#connections.get(id);
    this.#lastId = id;
    return this.#last;
  }

  /** Taken up when both directions are between two exchanges and the thread is known. */
  #begin(view: DataView, offset: number, id: number): PlainConnection | null {
    const pid = view.getUint32(offset + EVENT_HEADER.pid, true);
    if (view.getUint32(offset + PAYLOAD_EVENT.direction, true) !== DIRECTION.IN) {
      this.wake(pid);
      return null;
    }
    const tid = view.getUint32(offset + EVENT_HEADER.tid, true);
    const look = this.#streams.plainLookAt(id);
    const loop = look === null ? null : this.#attributor.settledLoop(pid, tid);
    const read = loop === null ? null : this.#streams.offsetsOf(id);
    if (look === null || loop === null || read === null) {
      this.wake(pid);
      return null;
    }
    const server = this.#serverOf(pid, readNumber(view, offset + EVENT_HEADER.start_time_ns));
    if (server === null) return null;
    if (server.pause > 0) {
      server.pause--;
      return null;
    }
    if (server.hasJuggled !== loop.hasJuggled) {
      this.#wake(server);
      server.hasJuggled = loop.hasJuggled;
    }
    const connection: PlainConnection = {
      server,
      look,
      tid,
      sequence: view.getUint32(offset + PAYLOAD_EVENT.sequence, true) - 1,
      inboundOffset: read.inbound,
      outboundOffset: read.outbound,
      isWaiting: false,
      droppedSequence: -1,
    };
    server.connections.set(id, connection);
    this.#connections.set(id, connection);
    return connection;
  }

  #serverOf(pid: number, startTime: number): PlainServer | null {
    const known = this.#servers.get(pid);
    if (known !== undefined) {
      if (known.startTime === startTime) return known;
      this.#forget(pid, known);
    }
    if (this.#servers.size >= MAX_SERVERS) return null;
    const server = new PlainServer(startTime);
    this.#servers.set(pid, server);
    return server;
  }

  #forget(pid: number, server: PlainServer): void {
    this.#wake(server);
    this.#servers.delete(pid);
  }

  #keepRequest(
    connection: PlainConnection,
    server: PlainServer,
    bytes: Uint8Array,
    view: DataView,
    offset: number,
    size: number,
  ): boolean {
    const length = view.getUint32(offset + PAYLOAD_EVENT.length, true);
    const start = offset + HEADER_BYTES;
    if (
      connection.isWaiting ||
      // That a loop juggles has to be told.
      (server.waitingCount > 0 && !server.hasJuggled) ||
      view.getUint32(offset + PAYLOAD_EVENT.sequence, true) !== connection.sequence + 1 ||
      readNumber(view, offset + PAYLOAD_EVENT.stream_offset) !== connection.inboundOffset ||
      view.getUint32(offset + PAYLOAD_EVENT.captured_size, true) !== length ||
      HEADER_BYTES + length > size ||
      !connection.look.isRequest(bytes, start, start + length)
    )
      return false;
    const place = this.#placeIn(server, size);
    if (place < 0) return false;
    connection.isWaiting = true;
    connection.sequence++;
    server.put(connection, bytes, offset, size, place);
    connection.inboundOffset += length;
    server.waitingCount++;
    return true;
  }

  #keepReply(
    connection: PlainConnection,
    server: PlainServer,
    bytes: Uint8Array,
    view: DataView,
    offset: number,
    size: number,
  ): boolean {
    const length = view.getUint32(offset + PAYLOAD_EVENT.length, true);
    const captured = view.getUint32(offset + PAYLOAD_EVENT.captured_size, true);
    const start = offset + HEADER_BYTES;
    if (
      !connection.isWaiting ||
      readNumber(view, offset + PAYLOAD_EVENT.stream_offset) !== connection.outboundOffset ||
      HEADER_BYTES + captured > size
    )
      return false;
    // Of its body it is enough to know how long it was.
    const headBytes = connection.look.plainReplyHead(bytes, start, start + captured, length);
    if (headBytes === 0) return false;
    const place = this.#placeIn(server, HEADER_BYTES + headBytes);
    if (place < 0) return false;
    server.put(connection, bytes, offset, HEADER_BYTES + headBytes, place);
    server.view.setUint32(place + PAYLOAD_EVENT.captured_size, headBytes, true);
    connection.isWaiting = false;
    connection.outboundOffset += length;
    server.waitingCount--;
    return true;
  }

  /** Where an event can be put, in the place of the oldest ones if need be; -1 when those are still needed. */
  #placeIn(server: PlainServer, size: number): number {
    let place = server.placeFor(size);
    while (place < 0 && this.#dropOldest(server)) place = server.placeFor(size);
    return place;
  }

  /** Forgets the oldest kept event, if its exchange is over. */
  #dropOldest(server: PlainServer): boolean {
    if (server.next - server.first < LEAST_KEPT_EVENTS) return false;
    const slot = server.first % MAX_KEPT_EVENTS;
    const connection = server.owners[slot] as PlainConnection;
    const sequence = server.sequences[slot] as number;
    if (sequence > connection.droppedSequence) {
      if (connection.isWaiting && sequence === connection.sequence) return false;
      // With its request goes its reply.
      connection.droppedSequence = sequence;
      this.dropped++;
      this.#attributor.passedOver(1);
    }
    server.first++;
    return true;
  }

  /** Reads what is kept of a process, in order, and lets go of it. */
  #wake(server: PlainServer): void {
    if (server.connections.size === 0) return;
    const { view, bytes, connections } = server;
    for (const id of connections.keys()) this.#connections.delete(id);
    this.#last = undefined;
    // A reader that throws is a bug, which costs what is kept and nothing that follows.
    try {
      while (server.first < server.next) {
        const number = server.first++;
        const slot = number % MAX_KEPT_EVENTS;
        const at = server.offsets[slot] as number;
        const connection = server.owners[slot] as PlainConnection;
        // The reply to a request that was dropped.
        if ((server.sequences[slot] as number) <= connection.droppedSequence) continue;
        const id = readNumber(view, at + PAYLOAD_EVENT.connection);
        const isRequest = view.getUint32(at + PAYLOAD_EVENT.direction, true) === DIRECTION.IN;
        const streamOffset = readNumber(view, at + PAYLOAD_EVENT.stream_offset);
        const read = this.#streams.offsetsOf(id);
        if (read !== null)
          this.#streams.passOver(
            id,
            isRequest ? streamOffset : read.inbound,
            isRequest ? read.outbound : streamOffset,
          );
        this.#read(bytes, view, at, server.sizes[slot] as number);
      }
      for (const [id, { inboundOffset, outboundOffset }] of connections)
        this.#streams.passOver(id, inboundOffset, outboundOffset);
    } finally {
      server.reset();
    }
  }
}
