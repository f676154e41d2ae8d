import { EVENT_TYPES } from '../../rules/event-types.ts';
import { responseView, type ResponseView } from '../../rules/responses/response.ts';
import type { Rule } from '../../rules/rule.ts';
import { sequenceView, type SequenceView } from '../../rules/sequences/description.ts';

/** More types than this are no choice. */
export const MANY_TYPES = 100;

/** A rule as `rules list` and `rules explain` print it as JSON. */
export interface RuleView {
  readonly rule: string;
  readonly description: string;
  readonly priority: string;
  readonly tags: readonly string[];
  readonly enabled: boolean;
  /** null: nearly all. */
  readonly eventTypes: readonly string[] | null;
  /** null: it is about one event. */
  readonly sequence: SequenceView | null;
  readonly respond: readonly ResponseView[];
  readonly file: string;
  readonly line: number;
}

export function ruleView(rule: Rule): RuleView {
  const { name, description, priority, tags, isEnabled, types, sequence, responses, place } = rule;
  return {
    rule: name,
    description: description.trim(),
    priority,
    tags,
    enabled: isEnabled,
    eventTypes: types.size > MANY_TYPES ? null : [...types].map((type) => EVENT_TYPES[type] ?? ''),
    sequence: sequence === null ? null : sequenceView(sequence),
    respond: responses.map(responseView),
    file: place.source.name,
    line: place.source.position(place.offset).line,
  };
}
