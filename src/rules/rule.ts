import type { Priority } from './load/items.ts';
import type { OutputTemplate } from './output.ts';
import type { Response } from './responses/response.ts';
import type { SequencePlan } from './sequences/plan.ts';
import type { Expression } from './syntax.ts';
import type { Place } from './text.ts';

/** A rule that is right and ready to be compiled for events. */
export interface Rule {
  readonly name: string;
  readonly description: string;
  readonly priority: Priority;
  readonly tags: readonly string[];
  /** Macros and lists expanded, exceptions added. Of a sequence: what is true of any of its steps. */
  readonly condition: Expression;
  /** Of a rule over several events; null for one event. */
  readonly sequence: SequencePlan | null;
  readonly output: OutputTemplate;
  /** Indexes of the event types on which it can be true. */
  readonly types: ReadonlySet<number>;
  /** As the files say; see selection.ts. */
  readonly isEnabled: boolean;
  readonly responses: readonly Response[];
  readonly capture: boolean;
  readonly captureDurationMs: number | null;
  readonly place: Place;
}
