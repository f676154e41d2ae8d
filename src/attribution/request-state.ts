import type { Effect } from '../model/effect.ts';
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
  readonly startedNs: number;
  endedNs: number | null = null;
  status: number | null = null;
  droppedEffects = 0;
  /** Its first reply bytes were written. */
  isAnswered = false;
  /** The connection was gone before the reply was complete: the server may still be working on it. */
  isAborted = false;
  /** Nobody works on it any more. */
  isDone = false;
  /** The request's own bytes have all arrived. */
  isComplete = false;
  #effects: Effect[] | null = null;
  readonly #number: number;
  readonly #session: string;

  constructor(
    session: string,
    number: number,
    connection: Connection,
    message: RequestMessage,
    process: Process,
    tid: number,
    startedNs: number,
  ) {
    this.#session = session;
    this.#number = number;
    this.connection = connection;
    this.message = message;
    this.process = process;
    this.tid = tid;
    this.startedNs = startedNs;
  }

  /** Made when asked for: most requests are never printed. */
  get id(): string {
    return `${this.#session}-${this.#number.toString(36)}`;
  }

  get effects(): readonly Effect[] {
    return this.#effects ?? NO_EFFECTS;
  }

  add(effect: Effect): void {
    const effects = (this.#effects ??= []);
    if (effects.length < MAX_EFFECTS) effects.push(effect);
    else this.droppedEffects++;
  }
}
