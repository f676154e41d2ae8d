import { problemAt, RuleError } from '../../rules/problem.ts';
import { parseDuration } from '../../rules/sequences/duration.ts';
import type { Description } from './description.ts';

/** When the first event of a case happens, in nanoseconds since boot. */
const START_NS = 3_600e9;
/** From one event to the next where a test does not say. */
const STEP_NS = 1e6;
/** More repetitions test nothing else. */
const MAX_TIMES = 10_000;

export interface TimedStep {
  readonly description: Description;
  readonly timeNs: number;
}

/**
 * The events of a case with their times: `after` is the time since the one before, `times` repeats an event, and `{n}` in its texts
 * is then the number of the repetition, from 1.
 * @throws RuleError
 */
export function timelineOf(steps: readonly Description[]): readonly TimedStep[] {
  let timeNs = START_NS;
  return steps.flatMap((step) => {
    const after = step.texts.get('after');
    const stepNs = after === undefined ? STEP_NS : parseDuration(after);
    if (stepNs === null) throw wrong(step, `'${after}' is no time, such as 90s`);
    return Array.from({ length: timesOf(step) }, (_, index) => {
      timeNs += stepNs;
      return { description: repetition(step, index + 1), timeNs };
    });
  });
}

function timesOf(step: Description): number {
  const text = step.texts.get('times');
  if (text === undefined) return 1;
  const times = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (times < 1 || times > MAX_TIMES) throw wrong(step, `'times' must be a number from 1 to ${MAX_TIMES}`);
  return times;
}

function repetition(step: Description, number: number): Description {
  if (!step.texts.has('times')) return step;
  const texts = [...step.texts].map(([key, text]) => [key, text.replaceAll('{n}', String(number))] as const);
  return { ...step, texts: new Map(texts) };
}

function wrong({ place }: Description, message: string): RuleError {
  return new RuleError(problemAt('item', message, place, ''));
}
