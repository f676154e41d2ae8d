import type { RuleEvent } from './event.ts';
import type { OutputValue } from './output.ts';
import type { Rule } from './rule.ts';

/** A match in the shape in which Falco prints it, so that what listens for Falco can listen to us. */
export interface Alert {
  readonly time: string;
  readonly rule: string;
  readonly priority: string;
  readonly source: 'syscall';
  readonly hostname: string | null;
  /** Time of day, priority and the rule's output: one line, safe to print. */
  readonly output: string;
  readonly tags: readonly string[];
  readonly output_fields: Readonly<Record<string, OutputValue>>;
}

export function alertOf(rule: Rule, event: RuleEvent): Alert {
  // Nanoseconds since the epoch do not fit into a number: the last three digits come from the fraction alone.
  const time = new Date(event.wallMs).toISOString();
  const millis = event.wallMs - Math.floor(event.wallMs);
  const digits = String(Math.floor(millis * 1e6)).padStart(6, '0');
  return {
    time: `${time.slice(0, -1)}${digits}Z`,
    rule: rule.name,
    priority: rule.priority,
    source: 'syscall',
    hostname: event.hostname,
    output: `${time.slice(11, -1)}${digits}: ${rule.priority} ${rule.output.format(event).trim()}`,
    tags: rule.tags,
    output_fields: rule.output.values(event),
  };
}
