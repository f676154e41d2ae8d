/**
 * What the worker needs where rules or conditions are in use. Loaded only then: the readers of YAML and of patterns
 * take some 15 MiB.
 */
export { gatedEvents } from '../event-gate.ts';
export { ruleEventSource } from '../rule-events.ts';
export { variablesOfFilter } from '../../rules/filter.ts';
export { RuleWatch } from './rule-watch.ts';
