import { lookupFields } from '../lookup-fields.ts';
import { conditionLines } from '../explanation.ts';
import { durationText } from './duration.ts';
import type { SequencePlan, SequenceStep } from './plan.ts';

/** What a rule over several events wants, as JSON has it. */
export interface SequenceView {
  readonly kind: SequencePlan['kind'];
  /** "5m" */
  readonly within: string;
  readonly steps: readonly {
    readonly name: string | null;
    readonly by: readonly string[];
    readonly count: { readonly more_than: number; readonly distinct: string | null } | null;
    /** A line for each part of the condition. */
    readonly condition: readonly string[];
  }[];
}

export function sequenceView({ kind, withinNs, steps }: SequencePlan): SequenceView {
  return {
    kind,
    within: durationText(withinNs),
    steps: steps.map(({ name, by, count, condition }) => ({
      name,
      by: by.map(({ key }) => key),
      count: count && { more_than: count.moreThan, distinct: count.distinct?.key ?? null },
      condition: conditionLines(condition),
    })),
  };
}

/** The same for people: a line for each step, and below it its condition. Not safe to print. */
export function sequenceLines({ kind, withinNs, steps }: SequencePlan): string[] {
  const within = durationText(withinNs);
  const what = kind === 'count' ? 'Count' : `Sequence of ${steps.length} steps`;
  return [
    `${what} within ${within}:`,
    ...steps.flatMap((step, index) => [
      `  ${index + 1}. ${stepText(step)}`,
      ...conditionLines(step.condition).map((line) => `     ${line}`),
    ]),
  ];
}

function stepText({ name, by, count, condition }: SequenceStep): string {
  const found = lookupFields(condition);
  const parts = [
    name ?? [],
    count === null
      ? []
      : `more than ${count.moreThan}${count.distinct === null ? '' : ` different ${count.distinct.key}`}`,
    by.length === 0 ? 'of the whole host' : `by ${by.map(({ key }) => key).join(', ')}`,
    found.length === 0 ? [] : `found by ${found.join(', ')}`,
  ];
  return parts.flat().join('; ');
}
