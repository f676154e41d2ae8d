import type { Effect } from '../model/effect.ts';
import type { EventHeader } from '../model/event.ts';
import type { Hop } from '../model/hop.ts';
import type { Process } from '../model/process.ts';
import type { Connection, Request, RequestMessage } from '../model/request.ts';

/** More effects of one request than that are counted only. */
const MAX_EFFECTS = 1024;
const NO_EFFECTS: readonly Effect[] = [];

/** A request as attribution keeps it; everyone else reads it as Request. */
export class RequestState implements Request {
  readonly connection: Connection;
  readonly message: RequestMessage;
  readonly process: Process;
  readonly tid: number;
  /** What read it: a thread, goroutine or task. */
  readonly unit: number;
  readonly startedNs: number;
  endedNs: number | null = null;
  status: number | null = null;
  droppedEffects = 0;
  hop: Hop | null = null;
  /** Number by which its reply is told, where the protocol has one. */
  stream: number | undefined = undefined;
  /** What wrote its reply, 0 for nothing yet. */
  writer = 0;
  /** Its first reply bytes were written. */
  isAnswered = false;
  /** What began its final reply, 0 for nothing yet; `writer` may have written an interim one. */
  answerer = 0;
  /** Its reply was written in a way that does not tell who has worked on it. */
  endsUnseen = false;
  /** The connection was gone before the reply was complete: the server may still be working on it. */
  isAborted = false;
  /** Nobody works on it any more. */
  isDone = false;
  /** The request's own bytes have all arrived. */
  isComplete = false;
  /** Questions that it has put to other services and whose answers have not begun. */
  waitingCount = 0;
  /** Another may have done what was done in its name: the kernel's stamp is not believed any more. */
  isDoubtful = false;
  #effects: Effect[] | null = null;
  readonly #session: string;
  readonly #sequence: number;
  readonly #index: number;
  #id: string | null = null;

  /**
   * @param sequence number of the inbound message on the connection
   * @param index of the request in that message: several may be pipelined
   */
  constructor(
    session: string,
    sequence: number,
    index: number,
    connection: Connection,
    message: RequestMessage,
    process: Process,
    { tid, unit, timeNs }: Pick<EventHeader, 'tid' | 'unit' | 'timeNs'>,
  ) {
    this.#session = session;
    this.#sequence = sequence;
    this.#index = index;
    this.connection = connection;
    this.message = message;
    this.process = process;
    this.tid = tid;
    this.unit = unit;
    this.startedNs = timeNs;
  }

  /** Where it stood: connection, message, place in the message. Made when asked for: most requests are never printed. */
  get id(): string {
    return (this.#id ??= this.#makeId());
  }

  #makeId(): string {
    const place = `${this.connection.id.toString(36)}.${this.#sequence.toString(36)}`;
    return `${this.#session}-${place}${this.#index > 0 ? `.${this.#index.toString(36)}` : ''}`;
  }

  get effects(): readonly Effect[] {
    return this.#effects ?? NO_EFFECTS;
  }

  /** In order of time: what is settled by the reply comes after what was known at once. */
  add(effect: Effect): void {
    const effects = (this.#effects ??= []);
    if (effects.length >= MAX_EFFECTS) {
      this.droppedEffects++;
      return;
    }
    let index = effects.length;
    while (index > 0 && (effects[index - 1]?.timeNs ?? 0) > effect.timeNs) index--;
    if (index === effects.length) effects.push(effect);
    else effects.splice(index, 0, effect);
  }
}
