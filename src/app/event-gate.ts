import { ThroughlineError } from '../base/errors.ts';
import type { KernelEvent } from '../model/event.ts';
import type { Process } from '../model/process.ts';
import type { Predicate } from '../rules/compile/test.ts';
import type { RuleEvent } from '../rules/event.ts';
import { parseFilter } from '../rules/filter.ts';
import { connectionOf } from './alerts/rule-watch.ts';
import type { Pipeline, PipelineOutput } from './pipeline.ts';
import { RuleEvents, ruleEventSource } from './rule-events.ts';

/**
 * Lets through the kernel events of which a condition of the rule language is true. What an event means to rules is known
 * only while the brain works on it (who did it, which request caused it), so an event waits until then; one that means
 * nothing to rules is never shown.
 * @param condition a condition that is right
 * @param pipeline the one that gets the output, for what else rules may ask
 */
export function gatedEvents(
  output: PipelineOutput,
  condition: string,
  pipeline: () => Pick<Pipeline, 'architecture' | 'clock' | 'hostname' | 'world'>,
): PipelineOutput {
  const gate = new EventGate(predicateOf(condition), new RuleEvents(ruleEventSource(pipeline)), output);
  return {
    ...output,
    event: (event) => gate.begin(event, (one) => pipeline().world.processOf(one)),
    effect: (effect) => gate.seen((events) => events.ofEffect(effect)),
    answered: (effect, timeNs) => gate.seen((events) => events.ofAnswer(effect, timeNs)),
    ended: (end) => gate.seen((events) => events.ofEnd(end)),
    requestRead: (request, timeNs) =>
      gate.seen((events) => events.ofRequest(request, 'http_request', timeNs)),
    replied: (request, timeNs) => gate.seen((events) => events.ofRequest(request, 'http_response', timeNs)),
  };
}

function predicateOf(condition: string): Predicate {
  const filter = parseFilter(condition);
  if (!filter.isValid) throw new ThroughlineError('TL3002', filter.error.message);
  return filter.matches;
}

class EventGate {
  readonly #matches: Predicate;
  readonly #events: RuleEvents;
  readonly #output: PipelineOutput;
  /** The event that the brain works on; null once it was let through. */
  #current: KernelEvent | null = null;

  constructor(matches: Predicate, events: RuleEvents, output: PipelineOutput) {
    this.#matches = matches;
    this.#events = events;
    this.#output = output;
  }

  begin(event: KernelEvent, processOf: (event: KernelEvent) => Process): void {
    this.#current = event;
    // The one event that rules know and that is no effect.
    if (event.kind === 'accept' && event.isClient !== true) {
      const { tid, timeNs, descriptor } = event;
      this.seen((events) => events.ofAccept(connectionOf(event), processOf(event), tid, timeNs, descriptor));
    }
  }

  seen(ruleEvent: (events: RuleEvents) => RuleEvent | null): void {
    if (this.#current === null) return;
    const event = ruleEvent(this.#events);
    if (event === null || !this.#matches(event)) return;
    this.#output.event(this.#current);
    this.#current = null;
  }
}
