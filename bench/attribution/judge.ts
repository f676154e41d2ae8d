import { EFFECT_KINDS, type EffectKind } from './effect-kind.ts';
import { carryOf, doesWork, loadOf, type Carry } from './mark.ts';
import type { Placement } from './placements.ts';
import { emptyTallies, type TallyByKind, type Verdict } from './tally.ts';

/** Figures of one load, by whether the bytes of the request could help. */
export type Verdicts = Readonly<Record<Carry, TallyByKind>>;

export function emptyVerdicts(): Verdicts {
  return { plain: emptyTallies(), reversed: emptyTallies() };
}

/** The ids of a load whose requests were answered: only they are sure to have had their effects. */
export interface JudgedLoad {
  readonly answered: readonly string[];
  readonly expected: Readonly<Partial<Record<EffectKind, number>>>;
}

export interface Mistake {
  readonly verdict: 'wrong' | 'misled';
  readonly kind: EffectKind;
  /** Who caused it. */
  readonly id: string;
  /** Who was blamed: ids that were sent, 'foreign' for requests that were not ours. */
  readonly blamed: readonly string[];
  readonly grade: string;
  readonly reason: string;
}

export interface Judgement {
  /** By the common part of the ids of a load. */
  readonly verdicts: ReadonlyMap<string, Verdicts>;
  readonly mistakes: readonly Mistake[];
  /** What the product gave as its reason, and how often, for whoever wants to make it better. */
  readonly reasons: Readonly<Record<string, number>>;
}

/** The verdict on one placement. `sentId` says which id a request of the product has, null for a foreign one. */
export function verdictOf(placement: Placement, sentId: (request: string) => string | null): Verdict {
  const { id, request, candidates } = placement;
  if (request !== null) return sentId(request) === id ? 'right' : 'wrong';
  return candidates.some((candidate) => sentId(candidate) === id) ? 'ambiguous' : 'misled';
}

/**
 * Judges all placements, each in the load that it belongs to. Effects that the requests must have had and that were
 * not told are missing.
 *
 * @param loads by the common part of their ids
 */
export function judge(
  placements: readonly Placement[],
  sentId: (request: string) => string | null,
  loads: ReadonlyMap<string, JudgedLoad>,
): Judgement {
  const verdicts = new Map(Array.from(loads.keys(), (load) => [load, emptyVerdicts()]));
  const mistakes: Mistake[] = [];
  const reasons: Record<string, number> = {};
  const told = new Map<string, number>();
  for (const placement of placements) {
    const { id, kind, request, candidates, grade, reason } = placement;
    const tally = verdicts.get(loadOf(id))?.[carryOf(id)][kind];
    if (tally === undefined) continue;
    const verdict = verdictOf(placement, sentId);
    tally[verdict] += 1;
    tally.candidates += candidates.length;
    const key = `${kind} ${id}`;
    told.set(key, (told.get(key) ?? 0) + 1);
    const why = `${kind}, ${carryOf(id)}: ${verdict}, ${grade}: ${reason.replaceAll(/\d+/g, 'N')}`;
    reasons[why] = (reasons[why] ?? 0) + 1;
    if (verdict === 'wrong' || verdict === 'misled') {
      const blamed = (request === null ? candidates : [request]).map((one) => sentId(one) ?? 'foreign');
      mistakes.push({ verdict, kind, id, blamed, grade, reason });
    }
  }
  for (const [load, { answered, expected }] of loads)
    for (const id of answered.filter(doesWork))
      for (const kind of EFFECT_KINDS) {
        const missing = (expected[kind] ?? 0) - (told.get(`${kind} ${id}`) ?? 0);
        const tally = verdicts.get(load)?.[carryOf(id)][kind];
        if (tally !== undefined && missing > 0) tally.missing += missing;
      }
  return { verdicts, mistakes, reasons };
}
