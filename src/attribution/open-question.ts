import type { Attribution } from '../model/effect.ts';
import type { RequestState } from './request-state.ts';

/**
 * Which request a thread, goroutine or task did something for: its next reply may tell. What it did is provisional until
 * then, with all that was born in it, which holds the question by reference.
 */
export class OpenQuestion {
  readonly timeNs: number;
  readonly candidates: readonly RequestState[];
  /** Where it was settled; null while it is open, and where nothing told. */
  answer: Attribution | null = null;
  isOpen = true;
  /** Whose bytes stand in it, or in a program that was born in it. */
  matched: RequestState | null = null;
  /** Effects that it decides about, and that are counted as ambiguous. */
  effectCount = 0;
  /** Replies are believed: effects are held back until they tell. */
  readonly isPromising: boolean;

  constructor(timeNs: number, candidates: readonly RequestState[], isPromising: boolean) {
    this.timeNs = timeNs;
    this.candidates = candidates;
    this.isPromising = isPromising;
  }
}
