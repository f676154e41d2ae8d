import { byteString } from '../../base/bytes.ts';
import type { AcceptEvent, PayloadEvent } from '../../model/event.ts';
import { clear, stampOf, type SimulatedKernel, type SimulatedThread } from './simulated-kernel.ts';

/** A UDP socket on which questions are asked. */
export interface SimulatedSocket {
  readonly id: number;
  isTold: boolean;
  sequence: number;
  /** Who waits for the answer with which number: null for nobody that is known. */
  readonly lent: Map<string, { connection: number; sequence: number } | null>;
}

/** What bpf/lib/datagram.h does. */
export class SimulatedDatagrams {
  readonly #kernel: SimulatedKernel;
  readonly #emit: (event: AcceptEvent | PayloadEvent) => void;
  /** thread->socket: the state of a thread that has read an answer since it waited, and where. */
  readonly #readFrom = new WeakMap<object, SimulatedSocket>();

  constructor(kernel: SimulatedKernel, emit: (event: AcceptEvent | PayloadEvent) => void) {
    this.#kernel = kernel;
    this.#emit = emit;
  }

  socket(): SimulatedSocket {
    return { id: this.#kernel.nextConnection(), isTold: false, sequence: 0, lent: new Map() };
  }

  /** datagram_sent() */
  ask(thread: SimulatedThread, socket: SimulatedSocket, bytes: Uint8Array): void {
    if (!thread.process.isServing) return;
    if (!socket.isTold) {
      socket.isTold = true;
      this.#emit({
        ...this.#kernel.header(thread),
        kind: 'accept',
        connection: socket.id,
        family: 'ipv4',
        localAddress: '\0\0\0\0',
        localPort: 50_000,
        remoteAddress: '\x7f\0\0\x35',
        remotePort: 53,
        isAdopted: false,
        isClient: true,
        isDatagram: true,
      });
    }
    socket.sequence++;
    this.#payload(thread, socket, 'out', bytes);
    const stamp = stampOf(thread);
    const number = numberOf(bytes);
    const known = socket.lent.get(number);
    if (stamp === null) socket.lent.delete(number);
    else if (known === undefined) socket.lent.set(number, stamp);
    else if (known?.connection !== stamp.connection || known.sequence !== stamp.sequence)
      socket.lent.set(number, null);
  }

  /** datagram_received() */
  answer(thread: SimulatedThread, socket: SimulatedSocket, bytes: Uint8Array): void {
    this.#payload(thread, socket, 'in', bytes);
    const number = numberOf(bytes);
    const lent = socket.lent.get(number) ?? null;
    socket.lent.delete(number);
    const { state } = thread;
    if (state === null || !state.isLoop) return;
    const isSecond = this.#readFrom.get(state) === socket;
    const isOther = lent?.connection !== state.connection || lent.sequence !== state.sequence;
    if (lent === null || (isSecond && isOther)) clear(thread, 'waited');
    else thread.state = { ...state, ...lent, socket: null, origin: 'linked' };
    if (thread.state !== null) this.#readFrom.set(thread.state, socket);
  }

  #payload(
    thread: SimulatedThread,
    { id, sequence }: SimulatedSocket,
    direction: 'in' | 'out',
    bytes: Uint8Array,
  ): void {
    const header = this.#kernel.header(thread);
    const { length } = bytes;
    const payload = {
      ...header,
      kind: 'payload',
      connection: id,
      sequence,
      direction,
      isDatagram: true,
    } as const;
    this.#emit({ ...payload, streamOffset: 0, length, bytes });
  }
}

function numberOf(bytes: Uint8Array): string {
  return byteString(bytes, 0, 2);
}
