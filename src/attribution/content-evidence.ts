import type { ByteString } from '../base/bytes.ts';
import { WorkBudget } from '../base/work-budget.ts';
import type { Attribution } from '../model/effect.ts';
import type { Process } from '../model/process.ts';
import type { Request } from '../model/request.ts';
import { contentCost, decideByContent, standsIn, type Sinks } from './content.ts';
import type { ServingProcess } from './serving.ts';
import { ambiguous, UNKNOWN_STAMP } from './verdicts.ts';

/** Values compared in a tenth of a second: some five milliseconds of work. */
const CONTENT_BUDGET = 100_000;
/** More candidates than this are not searched for content: abstaining is right, and cheap. */
const MAX_CONTENT_CANDIDATES = 256;
export interface ContentCounters {
  /** The thread said one request, the bytes said another: neither was believed. */
  disagreements: number;
  /** Content was not looked at: too many requests with too many values were in flight. */
  contentSkipped: number;
}

/** What the bytes of effects say about their requests, beside what is known of who did it. */
export class ContentEvidence {
  readonly #budget = new WorkBudget(CONTENT_BUDGET);
  readonly #processes: ReadonlyMap<number, ServingProcess>;
  readonly #counters: ContentCounters;

  constructor(processes: ReadonlyMap<number, ServingProcess>, counters: ContentCounters) {
    this.#processes = processes;
    this.#counters = counters;
  }

  /** Bytes of exactly one candidate in the effect decide. */
  refine(attribution: Attribution, sinks: Sinks, timeNs: number): Attribution {
    if (attribution.grade !== 'ambiguous' || attribution.candidates.length > MAX_CONTENT_CANDIDATES)
      return attribution;
    // The request that was not captured may have the same bytes, and is the likelier cause.
    if (attribution.reason === UNKNOWN_STAMP) return attribution;
    const serving = this.#processes.get(attribution.candidates[0]?.process.pid ?? 0);
    const rivals = (serving?.recentlyAnswered(timeNs) ?? []).filter(
      (answered) => !attribution.candidates.includes(answered),
    );
    if (!this.#mayCompare([...attribution.candidates, ...rivals], timeNs)) return attribution;
    const request = decideByContent(attribution.candidates, sinks, rivals);
    if (request === null) return attribution;
    return {
      grade: 'matched',
      reason: `${attribution.reason}; only this request's bytes stand in the effect`,
      request,
      candidates: [request],
    };
  }

  /**
   * What the thread says is checked against what the bytes say: when they stand for another request in flight and not
   * for this one, neither is believed.
   */
  crossCheck(
    attribution: Attribution,
    process: Process,
    sinks: readonly ByteString[],
    timeNs: number,
  ): Attribution {
    const { request } = attribution;
    if ((attribution.grade !== 'exact' && attribution.grade !== 'linked') || request === null)
      return attribution;
    const serving = this.#processes.get(request.process.pid) ?? this.#processes.get(process.pid);
    if (serving === undefined || serving.inFlight.size < 2 || serving.inFlight.size > MAX_CONTENT_CANDIDATES)
      return attribution;
    if (!this.#mayCompare([request, ...serving.inFlight], timeNs)) return attribution;
    if (standsIn(request, sinks)) return attribution;
    const other = decideByContent(
      [...serving.inFlight].filter((candidate) => candidate !== request),
      sinks,
    );
    if (other === null) return attribution;
    this.#counters.disagreements++;
    return ambiguous([request, other], 'the thread stands for one request and the bytes for another');
  }

  #mayCompare(requests: readonly Request[], timeNs: number): boolean {
    let cost = 0;
    for (const request of requests) cost += contentCost(request);
    if (this.#budget.spend(cost, timeNs)) return true;
    this.#counters.contentSkipped++;
    return false;
  }
}
