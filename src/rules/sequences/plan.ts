import type { Bound } from '../compile/bind.ts';
import type { Expression } from '../syntax.ts';

/** What a rule over several events wants: its events in order, joined by values that they have in common. */
export interface SequencePlan {
  /** `count` is the short way to write one step that counts: it is silent for a while once it was reached. */
  readonly kind: 'sequence' | 'count';
  readonly steps: readonly SequenceStep[];
  /** From the first event to the last, in nanoseconds of event time. */
  readonly withinNs: number;
}

export interface SequenceStep {
  /** By which outputs name it; null where it has no name. */
  readonly name: string | null;
  /** Macros and lists expanded, exceptions added. */
  readonly condition: Expression;
  /** Terms whose values join it with the other steps: as many as these have, in their order. */
  readonly by: readonly Bound[];
  readonly count: StepCount | null;
}

/** The step is done with more than so many of its events. */
export interface StepCount {
  readonly moreThan: number;
  /** Events are told apart by this value, and equal ones are one; null: each event counts. */
  readonly distinct: Bound | null;
}

/** A value that an output asks of a step: see valuesOf. */
export type KeptValues = readonly (string | number | boolean)[] | null;

/** A step that is done. */
export interface PassedStep {
  /** Of the event that it was done with, in nanoseconds since boot. */
  readonly timeNs: number;
  /** What the rule's output asks of this step, in its order. */
  readonly values: readonly KeptValues[];
}

/** All steps were done. */
export interface SequenceMatch {
  readonly plan: SequencePlan;
  /** Of the first event, in nanoseconds since boot. */
  readonly startNs: number;
  readonly steps: readonly PassedStep[];
}
