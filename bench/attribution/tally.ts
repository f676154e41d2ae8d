import type { EffectKind } from './effect-kind.ts';

/** What was said about effects whose truth is known. */
export interface Tally {
  /** On their own request, and on no other. */
  right: number;
  /** On another request: the worst that can happen. */
  wrong: number;
  /** Not placed; their own request is among the candidates. */
  ambiguous: number;
  /** Not placed, and their own request is not among the candidates: as bad as missing. */
  misled: number;
  /** Not told anywhere, or told without any request. */
  missing: number;
  /** Candidates of all that were not placed, for the mean. */
  candidates: number;
}

export type Verdict = 'right' | 'wrong' | 'ambiguous' | 'misled' | 'missing';

export function emptyTally(): Tally {
  return { right: 0, wrong: 0, ambiguous: 0, misled: 0, missing: 0, candidates: 0 };
}

export function totalOf({ right, wrong, ambiguous, misled, missing }: Tally): number {
  return right + wrong + ambiguous + misled + missing;
}

export function addTally(sum: Tally, more: Tally): void {
  sum.right += more.right;
  sum.wrong += more.wrong;
  sum.ambiguous += more.ambiguous;
  sum.misled += more.misled;
  sum.missing += more.missing;
  sum.candidates += more.candidates;
}

export function sumOf(tallies: Iterable<Tally>): Tally {
  const sum = emptyTally();
  for (const tally of tallies) addTally(sum, tally);
  return sum;
}

/** Part of all effects with this verdict, 0 to 1; NaN for no effects. */
export function shareOf(tally: Tally, verdict: Verdict): number {
  return tally[verdict] / totalOf(tally);
}

/** How many candidates an effect that was not placed has; 0 where all were placed. */
export function meanCandidates(tally: Tally): number {
  const unplaced = tally.ambiguous + tally.misled;
  return unplaced === 0 ? 0 : tally.candidates / unplaced;
}

/** Of the blames that were dealt out (one for a placed effect, one for each candidate), those that met the culprit. */
export function precisionOf(tally: Tally): number {
  return (tally.right + tally.ambiguous) / (tally.right + tally.wrong + tally.candidates);
}

/** Tallies by kind of effect. */
export type TallyByKind = Readonly<Record<EffectKind, Tally>>;

export function emptyTallies(): TallyByKind {
  return { exec: emptyTally(), open: emptyTally(), postgresql: emptyTally(), redis: emptyTally() };
}
