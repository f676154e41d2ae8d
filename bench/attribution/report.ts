import { pairedRatio } from '../statistics.ts';
import { tableAsText, type Table } from '../table.ts';
import { COST_MODES, type CostMode } from './cost.ts';
import { EFFECT_TITLES } from './effect-kind.ts';
import type { EffectFigures, RuntimeFigures } from './figures.ts';
import { number, percent } from './format.ts';
import { goalOf } from './goal.ts';
import { CARRIES } from './mark.ts';
import { meanCandidates, precisionOf, shareOf, sumOf, totalOf, type Tally } from './tally.ts';

/** The report for the terminal. */
export function reportAsText(runtimes: readonly RuntimeFigures[]): string {
  return [...tables(runtimes), eventTable(runtimes)].map(tableAsText).join('\n');
}

/** What the terminal and the document show. */
export function tables(runtimes: readonly RuntimeFigures[]): Table[] {
  return [productTable(runtimes), baselineTable(runtimes), costTable(runtimes)];
}

/** One row for each server and kind of effect. */
function rowsOf(
  runtimes: readonly RuntimeFigures[],
  cellsOf: (effect: EffectFigures) => readonly string[],
): string[][] {
  return runtimes.flatMap(({ name, effects }) =>
    effects.map((effect) => [`${name}, ${EFFECT_TITLES[effect.kind]}`, ...cellsOf(effect)]),
  );
}

function productTable(runtimes: readonly RuntimeFigures[]): Table {
  const concurrencies = [
    ...new Set(
      runtimes.flatMap(({ effects }) =>
        effects.flatMap(({ loads }) => loads.map(({ concurrency }) => concurrency)),
      ),
    ),
  ].toSorted((a, b) => a - b);
  return {
    title: 'Throughline',
    columns: [
      ...['server, effect', 'effects', ...concurrencies.map((concurrency) => `right at ${concurrency}`)],
      ...['wrong', 'missing', 'ambiguous', 'candidates', 'goal'],
    ],
    rows: rowsOf(runtimes, (effect) => {
      const all = sumOf(effect.loads.flatMap((load) => CARRIES.map((carry) => load[carry])));
      return [
        number(totalOf(all)),
        ...concurrencies.map((concurrency) => rightAt(effect, concurrency)),
        all.wrong === 0 ? '0' : `${number(all.wrong)} (${percent(shareOf(all, 'wrong'))})`,
        percent(shareOf(all, 'missing') + shareOf(all, 'misled')),
        percent(shareOf(all, 'ambiguous')),
        all.candidates === 0 ? '-' : number(meanCandidates(all), 1),
        goalOf(effect),
      ];
    }),
  };
}

/** Where bytes cannot help : where they can; one figure where both are the same. */
function rightAt({ loads }: EffectFigures, concurrency: number): string {
  const load = loads.find((one) => one.concurrency === concurrency);
  if (load === undefined) return '-';
  const shares = [load.reversed, load.plain].map((tally) => percent(shareOf(tally, 'right')));
  return [...new Set(shares)].join(' : ').replace(' % :', ' :');
}

function baselineTable(runtimes: readonly RuntimeFigures[]): Table {
  return {
    title: 'The same events, judged in simple ways',
    columns: [
      ...['server, effect', "the thread's last request: right", 'wrong', 'missing'],
      ...['every request in flight: among them', 'requests blamed', 'of these right'],
    ],
    rows: rowsOf(runtimes, ({ thread, inFlight }) => [
      percent(shareOf(thread, 'right')),
      percent(shareOf(thread, 'wrong')),
      percent(shareOf(thread, 'missing')),
      percent((inFlight.right + inFlight.ambiguous) / totalOf(inFlight)),
      number(blamesOf(inFlight) / totalOf(inFlight), 1),
      percent(precisionOf(inFlight)),
      // What no baseline could judge has no row.
    ]).filter(([, ...cells]) => cells.some((cell) => cell !== '-')),
  };
}

function blamesOf({ right, wrong, candidates }: Tally): number {
  return right + wrong + candidates;
}

const MODE_TITLES: Readonly<Record<CostMode, string>> = {
  noProbes: 'no probes',
  noRuntimeProbes: 'no runtime probes',
  noTlsProbes: 'no TLS probes',
  everything: 'everything',
};

function costTable(runtimes: readonly RuntimeFigures[]): Table {
  return {
    title: 'What a request costs',
    columns: [
      ...['server', 'probe hits', 'system calls', 'events'],
      ...[...COST_MODES.map((mode) => MODE_TITLES[mode]), 'lowest to highest', 'rounds'],
    ],
    rows: runtimes.map(({ name, probeHits, systemCalls, events, cost }) => {
      const ratio = (mode: CostMode) =>
        pairedRatio(cost.map((round) => ({ without: round.without, with: round[mode] })));
      const { minimum, maximum } = ratio('everything');
      return [
        name,
        number(probeHits, 1),
        systemCalls === null ? '-' : number(systemCalls),
        number(events, 1),
        ...COST_MODES.map((mode) => number(ratio(mode).median, 2)),
        cost.length === 0 ? '-' : `${number(minimum, 2)} to ${number(maximum, 2)}`,
        number(cost.length),
      ];
    }),
  };
}

function eventTable(runtimes: readonly RuntimeFigures[]): Table {
  const kinds = [...new Set(runtimes.flatMap(({ eventsByKind }) => Object.keys(eventsByKind)))].toSorted();
  return {
    title: 'Events of a request',
    columns: ['server', ...kinds],
    rows: runtimes.map(({ name, eventsByKind }) => [
      name,
      ...kinds.map((kind) => number(eventsByKind[kind] ?? 0, 1)),
    ]),
  };
}
