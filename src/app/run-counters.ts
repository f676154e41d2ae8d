import type { KernelCounters } from '../kernel/loader.ts';
import type { Pipeline } from './pipeline.ts';

type Counts = Readonly<Record<string, number>>;

/**
 * All that is counted in a run, by the part that counts, for people: names in words.
 * @param kernel counters of the kernel side; null for a recording
 */
export function countersOf(pipeline: Pipeline, kernel: KernelCounters | null): Record<string, Counts> {
  return {
    ...(kernel === null ? {} : { 'kernel side': inWords(kernel) }),
    decoding: inWords(pipeline.decodeCounters),
    processes: inWords(pipeline.world.counters),
    attribution: inWords(pipeline.attributor.counters),
    findings: inWords(pipeline.desk.counters),
  };
}

/** Events that reached the brain and that it could make nothing of are lost as well. */
export function undecodedLosses(pipeline: Pipeline): Counts {
  const { unknownKind, unknownVersion, malformed } = pipeline.decodeCounters;
  const losses = {
    'unknown-event-kind': unknownKind,
    'unknown-event-version': unknownVersion,
    'malformed-event': malformed,
  };
  return Object.fromEntries(Object.entries(losses).filter(([, count]) => count > 0));
}

/** 'exitsLost' and 'EXITS_LOST' are 'exits lost'. */
function inWords(counters: object): Counts {
  return Object.fromEntries(
    Object.entries(counters as Counts).map(([name, count]) => [
      (name === name.toUpperCase() ? name : name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`))
        .toLowerCase()
        .replaceAll('_', ' '),
      count,
    ]),
  );
}
