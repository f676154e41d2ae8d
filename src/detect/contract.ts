import type { Effect } from '../model/effect.ts';
import type { Detection } from '../model/finding.ts';
import type { Request } from '../model/request.ts';

/** A detector looks at effects and requests as they settle and says what it sees. Pure; never throws. */
export interface Detector {
  readonly name: string;
  /**
   * An effect that was attributed with grade exact, linked or matched, or ambiguous (then `attribution.request` is
   * null and only `candidates` are known). Called in order of time.
   */
  onEffect?(effect: Effect): readonly Detection[];
  /** An effect of a process that serves no request, of a kind that is told of everybody. */
  onHostEffect?(effect: Effect): readonly Detection[];
  /** Who started the agent: told before anything else. */
  onAgent?(parentPid: number): void;
  /** The request's message is complete (its body has arrived as far as it was captured). Its effects may still come. */
  onRequest?(request: Request): readonly Detection[];
}
