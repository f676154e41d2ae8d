import type { Grade } from '../model/effect.ts';
import type { LateEffectView, OrphanView, RequestSummaryView, RequestView } from './views.ts';

const MAX_SLOWEST = 5;

/** What was shown in all, for the closing lines of `trace`. */
export class TraceTotals {
  requests = 0;
  failures = 0;
  readonly grades: Record<Grade, number> = { exact: 0, linked: 0, matched: 0, ambiguous: 0, none: 0 };
  /** Slowest first. */
  slowest: readonly RequestSummaryView[] = [];

  add(message: RequestView | LateEffectView | OrphanView): void {
    if (message.kind !== 'request') {
      this.grades[message.effect.grade]++;
      return;
    }
    this.requests++;
    if (message.status === null || message.status >= 500) this.failures++;
    for (const effect of message.effects) this.grades[effect.grade]++;
    this.#rank(message);
  }

  #rank(request: RequestView): void {
    const duration = request.durationMs;
    const last = this.slowest.at(-1)?.durationMs ?? 0;
    if (duration === null || (this.slowest.length === MAX_SLOWEST && duration <= last)) return;
    // Without its effects: they would be kept for nothing.
    const { effects: _effects, ...summary } = request;
    this.slowest = [...this.slowest, summary]
      .sort((a, b) => (b.durationMs ?? 0) - (a.durationMs ?? 0))
      .slice(0, MAX_SLOWEST);
  }
}
