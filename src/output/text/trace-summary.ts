import type { Grade } from '../../model/effect.ts';
import type { RequestSummaryView, RouteView } from '../views.ts';
import { shortRequestText } from './request-text.ts';
import type { Terminal } from './terminal.ts';
import { clipped, displayWidth } from './width.ts';
import { countText, durationText } from './wording.ts';

/** Routes that a table shows unless all are asked for. */
const MAX_ROUTES = 50;
const MIN_ROUTE_COLUMNS = 16;

export interface Totals {
  readonly requests: number;
  readonly failures: number;
  readonly grades: Readonly<Record<Grade, number>>;
  readonly slowest: readonly RequestSummaryView[];
}

/** The closing lines of a trace: what was shown in all, how certain it is, what took longest. */
export function totalsText(totals: Totals, terminal: Terminal): string {
  if (totals.requests === 0) return 'no request was shown\n';
  const { exact, linked, matched, ambiguous, none } = totals.grades;
  const effects = exact + linked + matched + ambiguous + none;
  const grades = Object.entries({ exact, linked, matched, ambiguous })
    .filter(([, count]) => count > 0)
    .map(([grade, count]) => `${count.toLocaleString('en-US')} ${grade}`)
    .join(', ');
  const failed =
    totals.failures === 0 ? '' : `, ${terminal.paint('red', `${totals.failures} failed or unanswered`)}`;
  const lines = [
    `shown: ${countText(totals.requests, 'request')}${failed}, ${countText(effects, 'effect')}${grades === '' ? '' : ` (${grades})`}`,
  ];
  totals.slowest.forEach((request, index) => {
    const label = index === 0 ? 'slowest:' : '        ';
    const duration = durationText(request.durationMs ?? 0).padStart(8);
    lines.push(`${label} ${duration}  ${shortRequestText(request, terminal, 72)}`);
  });
  return lines.map((line) => clipped(line, terminal.columns, terminal.symbols.ellipsis) + '\n').join('');
}

const COLUMNS: readonly {
  readonly title: string;
  readonly value: (row: RouteView) => string;
}[] = [
  { title: 'requests', value: (row) => row.requests.toLocaleString('en-US') },
  { title: 'failed', value: (row) => countCell(row.failures) },
  { title: 'p50', value: (row) => (row.p50Ms === null ? '-' : durationText(row.p50Ms)) },
  { title: 'p99', value: (row) => (row.p99Ms === null ? '-' : durationText(row.p99Ms)) },
  { title: 'execs', value: (row) => countCell(row.execs) },
  { title: 'files', value: (row) => countCell(row.files) },
  { title: 'connects', value: (row) => countCell(row.connects) },
  { title: 'queries', value: (row) => countCell(row.queries) },
  { title: 'exact', value: (row) => shareCell(row.exactShare) },
];

/** Requests by route, as a table. The routes make room for the numbers. */
export function routeTableText(
  rows: readonly RouteView[],
  terminal: Terminal,
  options: { readonly showsAll: boolean },
): string {
  const { columns, symbols } = terminal;
  if (rows.length === 0) return 'no request was seen\n';
  const shown = options.showsAll ? rows : rows.slice(0, MAX_ROUTES);
  const cells = shown.map((row) => COLUMNS.map(({ value }) => value(row)));
  const widths = COLUMNS.map(({ title }, index) =>
    Math.max(title.length, ...cells.map((line) => line[index]?.length ?? 0)),
  );
  const numbers = widths.reduce((sum, width) => sum + width + 2, 0);
  const names = shown.map((row) => `${terminal.safe(row.method, 20)} ${terminal.safe(row.route, 200)}`);
  const longest = Math.max('route'.length, ...names.map(displayWidth));
  const room = columns === null ? longest : Math.max(MIN_ROUTE_COLUMNS, Math.min(longest, columns - numbers));
  const line = (name: string, values: readonly string[]): string => {
    const text = clipped(name, room, symbols.ellipsis);
    const padding = ' '.repeat(Math.max(0, room - displayWidth(text)));
    return text + padding + values.map((value, index) => `  ${value.padStart(widths[index] ?? 0)}`).join('');
  };
  const titles = COLUMNS.map(({ title }) => title);
  const lines = [
    terminal.paint('bold', line('route', titles)),
    ...shown.map((row, index) => {
      const text = line(names[index] ?? '', cells[index] ?? []);
      return row.failures > 0 ? terminal.paint('yellow', text) : text;
    }),
  ];
  if (rows.length > shown.length)
    lines.push(
      terminal.paint(
        'dim',
        `${symbols.ellipsis} ${countText(rows.length - shown.length, 'more route')}; --all shows them`,
      ),
    );
  return lines.map((one) => clipped(one, columns, symbols.ellipsis) + '\n').join('');
}

function countCell(count: number): string {
  return count === 0 ? '-' : count.toLocaleString('en-US');
}

function shareCell(share: number | null): string {
  // 99.96 % are not all.
  return share === null ? '-' : `${Math.floor(share * 1000) / 10} %`;
}
