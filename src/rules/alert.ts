import { valuesOf } from './compile/bind.ts';
import type { RuleEvent } from './event.ts';
import { epochNs, outputValue, type OutputValue } from './output.ts';
import { responseView, type ResponseView } from './responses/response.ts';
import type { Rule } from './rule.ts';
import { durationText } from './sequences/duration.ts';
import type { SequenceMatch } from './sequences/plan.ts';

/** A match in the shape in which Falco prints it, so that what listens for Falco can listen to us. */
export interface Alert {
  readonly time: string;
  readonly rule: string;
  readonly priority: string;
  readonly source: 'syscall';
  readonly hostname: string | null;
  /** Time of day, priority and the rule's output: one line, safe to print. The time counts as a field of it. */
  readonly output: string;
  readonly tags: readonly string[];
  readonly output_fields: Readonly<Record<string, OutputValue>>;
  /** Of rules over several events alone. */
  readonly sequence?: AlertSequence;
  /** What the rule wants done, where it wants something; nothing acts on it yet. */
  readonly respond?: readonly ResponseView[];
}

/** The events that came before, and what joins them. */
interface AlertSequence {
  /** As the rule says it: "5m". */
  readonly within: string;
  /** Of the first event. */
  readonly start: string;
  /** Names and values of the fields that the last event was joined by. */
  readonly by: Readonly<Record<string, OutputValue>>;
  /** When each step was done; the name of a step is null where it has none. */
  readonly steps: readonly { readonly name: string | null; readonly time: string }[];
}

/** @param match of a rule over several events, of which the event is the last */
export function alertOf(rule: Rule, event: RuleEvent, match: SequenceMatch | null = null): Alert {
  const time = timeText(event.wallMs);
  return {
    time,
    rule: rule.name,
    priority: rule.priority,
    source: 'syscall',
    hostname: event.hostname,
    output: `${time.slice(11, -1)}: ${rule.priority} ${rule.output.format(event, match).trim()}`,
    tags: rule.tags,
    output_fields: { 'evt.time': epochNs(event), ...rule.output.values(event, match) },
    ...(match === null ? {} : { sequence: sequenceOf(event, match) }),
    ...(rule.responses.length === 0 ? {} : { respond: rule.responses.map(responseView) }),
  };
}

/** Nanoseconds since the epoch do not fit into a number: the last three digits come from the fraction alone. */
function timeText(wallMs: number): string {
  const millis = wallMs - Math.floor(wallMs);
  const digits = String(Math.floor(millis * 1e6)).padStart(6, '0');
  return `${new Date(wallMs).toISOString().slice(0, -1)}${digits}Z`;
}

function sequenceOf(event: RuleEvent, { plan, startNs, steps }: SequenceMatch): AlertSequence {
  const timeOf = (timeNs: number): string => timeText(event.wallMs - (event.timeNs - timeNs) / 1e6);
  const by = plan.steps.at(-1)?.by ?? [];
  return {
    within: durationText(plan.withinNs),
    start: timeOf(startNs),
    by: Object.fromEntries(by.map((one) => [one.key, outputValue(one, valuesOf(one.access, event))])),
    steps: steps.map(({ timeNs }, index) => ({
      name: plan.steps[index]?.name ?? null,
      time: timeOf(timeNs),
    })),
  };
}
