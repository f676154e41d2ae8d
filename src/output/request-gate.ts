import { dropOldest } from '../base/oldest.ts';
import type { Effect } from '../model/effect.ts';
import type { Request } from '../model/request.ts';
import { acceptsAlone, requestCondition, type Condition, type RequestFilter } from './request-filter.ts';

/** Effects that wait for one of their candidates to finish; beyond this many the oldest are forgotten. */
const MAX_WAITING = 10_000;

/** What comes through: in the brain's own objects, so that views are made of nothing else. */
export interface GateOutput {
  request(request: Request): void;
  lateEffect(request: Request, effect: Effect): void;
  orphan(effect: Effect): void;
}

/**
 * Lets the requests through that a filter wants, and with them the effects that came late and those that may be
 * theirs. A request can be judged once it is over only, so effects with candidates wait for the first one that is
 * wanted.
 */
export class RequestGate implements GateOutput {
  readonly #filter: RequestFilter;
  readonly #output: GateOutput;
  readonly #holds: Condition;
  /** Requests that are over: whether they were wanted. */
  readonly #judged = new WeakMap<Request, boolean>();
  /** Unplaced effects whose candidates were not wanted so far. */
  readonly #waiting = new Map<Effect, true>();
  readonly #waitingFor = new WeakMap<Request, Effect[]>();

  constructor(filter: RequestFilter, output: GateOutput) {
    this.#filter = filter;
    this.#output = output;
    this.#holds = requestCondition(filter);
  }

  request(request: Request): void {
    const isWanted = this.#holds({ request, effects: request.effects });
    this.#judged.set(request, isWanted);
    if (isWanted) this.#output.request(request);
    for (const effect of this.#waitingFor.get(request) ?? [])
      if (this.#waiting.has(effect) && (isWanted || this.#wouldHold(request, effect))) this.#release(effect);
    this.#waitingFor.delete(request);
  }

  /** A late effect may be what a request was asked for: then the request comes with it. */
  lateEffect(request: Request, effect: Effect): void {
    if (this.#judged.get(request) === true) this.#output.lateEffect(request, effect);
    else if (this.#holds({ request, effects: request.effects })) {
      this.#judged.set(request, true);
      this.#output.request(request);
    }
  }

  orphan(effect: Effect): void {
    const { candidates } = effect.attribution;
    if (candidates.length === 0) {
      if (acceptsAlone(this.#filter, effect)) this.#output.orphan(effect);
      return;
    }
    const isWanted = candidates.some((request) => {
      const judged = this.#judged.get(request);
      return judged === true || (judged === false && this.#wouldHold(request, effect));
    });
    if (isWanted) {
      this.#output.orphan(effect);
      return;
    }
    this.#waiting.set(effect, true);
    if (this.#waiting.size > MAX_WAITING) dropOldest(this.#waiting);
    for (const request of candidates) {
      if (this.#judged.has(request)) continue;
      const waiting = this.#waitingFor.get(request);
      if (waiting === undefined) this.#waitingFor.set(request, [effect]);
      else if (waiting.length < MAX_WAITING) waiting.push(effect);
    }
  }

  /** Whether the request would be wanted if the effect was its own: `--has exec` means that one too. */
  #wouldHold(request: Request, effect: Effect): boolean {
    return this.#holds({ request, effects: [...request.effects, effect] });
  }

  #release(effect: Effect): void {
    this.#waiting.delete(effect);
    this.#output.orphan(effect);
  }
}
