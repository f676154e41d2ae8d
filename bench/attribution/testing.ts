import type { LoadFigures, RuntimeFigures } from './figures.ts';
import { emptyTally, type Tally } from './tally.ts';

export function tally(changes: Partial<Tally>): Tally {
  return { ...emptyTally(), ...changes };
}

/** The same at each of these many requests at once. */
export function loads(
  concurrencies: readonly number[],
  reversed: Partial<Tally>,
  plain: Partial<Tally> = reversed,
): LoadFigures[] {
  return concurrencies.map((concurrency) => ({
    concurrency,
    plain: tally(plain),
    reversed: tally(reversed),
  }));
}

/** Figures for tests of what is made from them. */
export function madeUpFigures(changes: Partial<RuntimeFigures> = {}): RuntimeFigures {
  return {
    name: 'made-up',
    title: 'Made up',
    origin: { date: '2026-01-01', command: 'make bench-attribution', machine: 'a machine', requests: 100 },
    effects: [
      {
        kind: 'exec',
        loads: loads([1, 8, 64, 256], { right: 2, ambiguous: 2, candidates: 10 }, { right: 3, wrong: 1 }),
        thread: tally({ right: 4, wrong: 28 }),
        inFlight: tally({ ambiguous: 32, candidates: 320 }),
      },
      {
        kind: 'redis',
        loads: loads([1, 8, 64, 256], { right: 100 }),
        thread: tally({}),
        inFlight: tally({}),
      },
    ],
    probeHits: 12.34,
    systemCalls: null,
    events: 20,
    eventsByKind: { payload: 8 },
    cost: [
      { without: 100, noProbes: 99, noRuntimeProbes: 98, noTlsProbes: 92, everything: 90 },
      { without: 50, noProbes: 49, noRuntimeProbes: 48, noTlsProbes: 44, everything: 40 },
    ],
    remarks: [],
    ...changes,
  };
}
