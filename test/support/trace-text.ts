import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RouteTable } from '../../src/output/route-table.ts';
import { createTerminal, type Terminal } from '../../src/output/text/terminal.ts';
import { routeTableText, totalsText } from '../../src/output/text/trace-summary.ts';
import { TraceView, type TraceMessage } from '../../src/output/text/trace-view.ts';
import { TraceTotals } from '../../src/output/trace-totals.ts';
import { goldenPath } from './fixtures.ts';

const DIRECTORY = join(import.meta.dirname, '..', 'fixtures', 'traces');
const KINDS = new Set(['request', 'effect', 'orphan']);

export function traceGoldenPath(name: string): string {
  return join(DIRECTORY, `${name}.golden.txt`);
}

/** A terminal of that width: with UTF-8 or without, without colors unless asked for. */
export function terminalOf(
  columns: number | null,
  options: { readonly utf8?: boolean; readonly color?: '1' | '2' | '3' } = {},
): Terminal {
  const locale = options.utf8 === false ? 'C' : 'C.UTF-8';
  const variables = options.color === undefined ? {} : { FORCE_COLOR: options.color };
  return createTerminal({
    isTty: true,
    columns,
    variables: { NO_COLOR: '1', LANG: locale, ...variables },
    timeZone: 'UTC',
  });
}

/** What the brain said of a recording, as its golden output has it. */
export function traceMessagesOf(name: string): TraceMessage[] {
  return readFileSync(goldenPath(name), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as TraceMessage)
    .filter(({ kind }) => KINDS.has(kind));
}

export function traceText(messages: readonly TraceMessage[], terminal: Terminal, showsAll = false): string {
  const view = new TraceView(terminal, { showsAll });
  return messages.map((message) => view.add(message)).join('') + view.end();
}

/** The first so many requests, and the first so many of what belongs to none or came late. */
function excerpt(messages: readonly TraceMessage[], count: number): TraceMessage[] {
  const left = { request: count, effect: count, orphan: count };
  return messages.filter(({ kind }) => left[kind]-- > 0);
}

/** The trace of a recording on a wide terminal, its beginning on a narrow one without UTF-8, and its summaries. */
export function traceGoldenOf(name: string): string {
  const messages = traceMessagesOf(name);
  const table = new RouteTable();
  const totals = new TraceTotals();
  for (const message of messages) {
    table.add(message);
    totals.add(message);
  }
  const wide = terminalOf(132);
  return [
    '132 columns',
    traceText(excerpt(messages, 12), wide),
    '60 columns, ASCII',
    traceText(excerpt(messages, 6), terminalOf(60, { utf8: false })),
    'totals',
    totalsText(totals, wide),
    'routes',
    routeTableText(table.rows(), wide, { showsAll: false }),
  ].join('\n');
}
