import { pairedRatio } from '../statistics.ts';
import { tableAsMarkdown, tableAsText, type Table } from '../table.ts';
import type { AttributionResult, CellResult, RuntimeResult } from './cell.ts';
import { EFFECT_TITLES, type EffectKind } from './effect-kind.ts';
import { number, percent } from './format.ts';
import { CARRIES, type Carry } from './mark.ts';
import { meanCandidates, precisionOf, shareOf, sumOf, totalOf, type Tally } from './tally.ts';

/** The report for the terminal. */
export function reportAsText(result: AttributionResult): string {
  return [...tables(result).map(tableAsText), ...reasons(result), ...remarks(result), ''].join('\n');
}

/** Whoever looks at one server wants to make it better. */
function reasons({ runtimes: [runtime, ...others] }: AttributionResult): string[] {
  if (runtime === undefined || others.length > 0) return [];
  const lines = Object.entries(runtime.reasons)
    .toSorted(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${number(count).padStart(8)}  ${reason}`);
  return ['Reasons', '', ...lines, ''];
}

/** The generated section of docs/ATTRIBUTION.md. */
export function reportAsMarkdown(result: AttributionResult, machine: string): string {
  const { date, command, requestsPerCell } = result;
  return `
Measured ${date} with \`${command}\`.
Machine: ${machine}.

${requestsPerCell} requests for each server, concurrency and kind of connection (kept alive, and one for each request).
Each inserts a row, runs a program, creates and removes a file, asks Redis (where Debian has a driver) and sends a second
statement, in this order; all effects carry its id. Of half of the requests they carry it backwards, so that the bytes of
the request do not stand in them: "no bytes". A fifth of the requests does nothing and is answered amid the others.
Wrong: on another request. Misled: not placed, and the right request is not among the candidates. Missing: not told.

${tables(result)
  .map((table) => tableAsMarkdown(table, '###'))
  .join('\n')}
${remarks(result)
  .map((line) => `- ${line}`)
  .join('\n')}
`;
}

function tables(result: AttributionResult): Table[] {
  return [
    productTable(result.runtimes),
    baselineTable(result.runtimes),
    concurrencyTable(result.runtimes),
    costTable(result.runtimes),
  ];
}

/** All of a runtime's figures of one kind of effect, over the loads that are asked for. */
export function tallyOf(
  cells: readonly CellResult[],
  kind: EffectKind,
  carries: readonly Carry[] = CARRIES,
): Tally {
  return sumOf(cells.flatMap(({ verdicts }) => carries.map((carry) => verdicts[carry][kind])));
}

/** One row for each server and kind of effect. */
function rowsOf(
  runtimes: readonly RuntimeResult[],
  cellsOf: (runtime: RuntimeResult, kind: EffectKind) => readonly string[],
): string[][] {
  return runtimes.flatMap((runtime) =>
    runtime.kinds.map((kind) => [`${runtime.name}, ${EFFECT_TITLES[kind]}`, ...cellsOf(runtime, kind)]),
  );
}

function productTable(runtimes: readonly RuntimeResult[]): Table {
  return {
    title: 'Throughline',
    columns: [
      ...['server, effect', 'effects', 'bytes help: right', 'no bytes: right', 'wrong', 'ambiguous'],
      ...['candidates', 'misled', 'missing'],
    ],
    rows: rowsOf(runtimes, ({ cells }, kind) => {
      const all = tallyOf(cells, kind);
      return [
        number(totalOf(all)),
        ...CARRIES.map((carry) => percent(shareOf(tallyOf(cells, kind, [carry]), 'right'))),
        percent(shareOf(all, 'wrong')),
        percent(shareOf(all, 'ambiguous')),
        all.candidates === 0 ? '-' : number(meanCandidates(all), 1),
        percent(shareOf(all, 'misled')),
        percent(shareOf(all, 'missing')),
      ];
    }),
  };
}

function baselineTable(runtimes: readonly RuntimeResult[]): Table {
  return {
    title: 'The same events, judged in simple ways',
    columns: [
      ...['server, effect', "the thread's last request: right", 'wrong', 'missing'],
      ...['every request in flight: among them', 'requests blamed', 'of these right'],
    ],
    rows: rowsOf(runtimes, ({ cells }, kind) => {
      const thread = sumOf(cells.map(({ baselines }) => baselines.thread[kind]));
      const inFlight = sumOf(cells.map(({ baselines }) => baselines.inFlight[kind]));
      const blamed = inFlight.right + inFlight.wrong + inFlight.candidates;
      return [
        percent(shareOf(thread, 'right')),
        percent(shareOf(thread, 'wrong')),
        percent(shareOf(thread, 'missing')),
        percent((inFlight.right + inFlight.ambiguous) / totalOf(inFlight)),
        number(blamed / totalOf(inFlight), 1),
        percent(precisionOf(inFlight)),
      ];
      // What no baseline could judge has no row.
    }).filter(([, ...cells]) => cells.some((cell) => cell !== '-')),
  };
}

function concurrencyTable(runtimes: readonly RuntimeResult[]): Table {
  const concurrencies = [
    ...new Set(runtimes.flatMap(({ cells }) => cells.map(({ concurrency }) => concurrency))),
  ].toSorted((a, b) => a - b);
  return {
    title: 'Right, by requests at once: where bytes help : where they cannot',
    columns: ['server, effect', ...concurrencies.map(String)],
    rows: rowsOf(runtimes, ({ cells }, kind) =>
      concurrencies.map((concurrency) => {
        const chosen = cells.filter((cell) => cell.concurrency === concurrency);
        const shares = CARRIES.map((carry) => percent(shareOf(tallyOf(chosen, kind, [carry]), 'right')));
        return [...new Set(shares)].join(' : ');
      }),
    ),
  };
}

function costTable(runtimes: readonly RuntimeResult[]): Table {
  const kinds = ['payload', 'open', 'exec', 'fork', 'exit', 'connect', 'accept', 'close'] as const;
  return {
    title: 'What a request costs',
    columns: ['server', 'requests/s with : without', 'lowest to highest', 'system calls', 'events', ...kinds],
    rows: runtimes.map(({ name, cost, systemCallsPerRequest, eventsPerRequest, eventsByKind }) => {
      const ratio = pairedRatio(cost);
      return [
        name,
        number(ratio.median, 3),
        cost.length === 0 ? '-' : `${number(ratio.minimum, 3)} to ${number(ratio.maximum, 3)}`,
        systemCallsPerRequest === null ? '-' : number(systemCallsPerRequest),
        number(eventsPerRequest, 1),
        ...kinds.map((kind) => number(eventsByKind[kind] ?? 0, 1)),
      ];
    }),
  };
}

/** What the tables do not say: whoever reads the figures must not miss it. */
export function remarks({ runtimes, unavailable }: AttributionResult): string[] {
  const lines = unavailable.map(({ name, reason }) => `NOT MEASURED: ${name}: ${reason}`);
  for (const { name, cells, losses, counters, mistakeCount, mistakes } of runtimes) {
    for (const { concurrency, keepAlive, requests, failed, failure } of cells)
      if (failed > 0)
        lines.push(
          `${name}, ${concurrency} at once, ${keepAlive ? 'keep-alive' : 'close'}: ${failed} of ${requests} requests ` +
            `failed and are not judged (${failure})`,
        );
    const lost = Object.entries(losses).map(([reason, count]) => `${reason} ${number(count)}`);
    if (lost.length > 0) lines.push(`${name}: events were lost: ${lost.join(', ')}`);
    if (counters.contentSkipped > 0)
      lines.push(
        `${name}: ${number(counters.contentSkipped)} effects were not searched for the bytes of requests: ` +
          'too many were in flight',
      );
    const [first] = mistakes;
    if (first !== undefined)
      lines.push(
        `${name}: ${number(mistakeCount)} WRONG or misled, the first: ${first.kind} of ${first.id}, ` +
          `${first.grade}, blamed ${first.blamed.slice(0, 3).join(', ') || 'nobody'} (${first.reason})`,
      );
  }
  lines.push('probe hits per request: none, no probe in user space is attached yet');
  return lines;
}
