import type { Priority, Response } from './load/items.ts';
import type { OutputTemplate } from './output.ts';
import type { Expression } from './syntax.ts';
import type { Place } from './text.ts';

/** A rule that is right and ready to be compiled for events. */
export interface Rule {
  readonly name: string;
  readonly description: string;
  readonly priority: Priority;
  readonly tags: readonly string[];
  /** Macros and lists expanded, exceptions added. */
  readonly condition: Expression;
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
