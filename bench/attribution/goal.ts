import type { EffectFigures, LoadFigures } from './figures.ts';
import { addTally, emptyTally, shareOf, totalOf, type Tally } from './tally.ts';

/** At each of these many requests at once, of each kind of effect: so much right, and less than that wrong. */
export const GOAL_CONCURRENCIES = [1, 8, 64, 256] as const;
const GOAL_RIGHT = 0.99;
const GOAL_WRONG = 0.001;

/**
 * `with bytes`: it is met only for effects that the bytes of the request stand in.
 * `unknown`: not every concurrency was measured.
 */
export type GoalAnswer = 'met' | 'with bytes' | 'not met' | 'unknown';

/** Whether the goal is met at every concurrency, where bytes can help as well as where they cannot. */
export function goalOf({ loads }: EffectFigures): GoalAnswer {
  const chosen = GOAL_CONCURRENCIES.flatMap((concurrency) =>
    loads.filter((load) => load.concurrency === concurrency && totalOf(allOf(load)) > 0),
  );
  if (chosen.some((load) => shareOf(allOf(load), 'wrong') >= GOAL_WRONG)) return 'not met';
  if (chosen.some(({ plain }) => isShort(plain))) return 'not met';
  if (chosen.some(({ reversed }) => isShort(reversed))) return 'with bytes';
  return chosen.length === GOAL_CONCURRENCIES.length ? 'met' : 'unknown';
}

function isShort(tally: Tally): boolean {
  return shareOf(tally, 'right') < GOAL_RIGHT;
}

function allOf({ plain, reversed }: LoadFigures): Tally {
  const sum = emptyTally();
  addTally(sum, plain);
  addTally(sum, reversed);
  return sum;
}
