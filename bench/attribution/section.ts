import { tableAsMarkdown } from '../table.ts';
import type { RuntimeFigures } from './figures.ts';
import { GOAL_CONCURRENCIES, goalOf, type GoalAnswer } from './goal.ts';
import { number } from './format.ts';
import { tables } from './report.ts';
import type { KeptResults } from './results-file.ts';
import { shareOf, sumOf, totalOf } from './tally.ts';

/** The generated section of docs/ATTRIBUTION.md. */
export function sectionOf({ runtimes, unavailable }: KeptResults): string {
  if (runtimes.length === 0)
    return '## Measured on real servers\n\nNot measured yet: `make bench-attribution`.';
  const [product = '', baselines = '', cost = ''] = tables(runtimes).map((table) =>
    tableAsMarkdown(table, '###'),
  );
  const remarks = [
    ...unavailable.map(({ name, reason }) => `NOT MEASURED: ${name}: ${reason}`),
    ...runtimes.flatMap(({ name, remarks }) => remarks.map((remark) => `${name}: ${remark}`)),
  ];
  return `
## Measured on real servers

${serverLines(runtimes).join('\n')}

${originLines(runtimes).join('\n')}

Each request inserts a row, runs a program, creates and removes a file, asks Redis (where Debian has a driver) and sends a
second statement; all effects carry its id. Every other one carries it backwards, so that the bytes of the request do not
stand in them and only the mechanism can tell. A fifth of the requests does nothing and is answered amid the others. Half of the
loads keep connections alive. Pools are smaller than the load, 4 to 16, but for those named wide: 320.

${goalLine(runtimes)}

${product}
Right at so many requests at once, where the bytes cannot help : where they can; one figure where both are the same. Wrong: on
another request. Missing: not told, or the right request is not among the candidates. Ambiguous: not placed, the right one
is among so many candidates on average. Goal: right 99 % or more, both ways, and wrong under 0.1 %, at each of ${GOAL_CONCURRENCIES.join(', ')}.

${baselines}
Both are computed from the same events. ${threadLine(runtimes)}

${cost}
For each request that does its work. Probe hits are those in the server's own files (goal: at most 15 for Node); a hit costs
1 to 2 microseconds on hardware, ten times that under nested virtualization. System calls include those of the program that it runs (strace, 4 requests at
once). Then the throughput with Throughline : without, 32 at once, the median of rounds that measure all of them one after the
other: with its programs in the kernel alone, all but the probes in language runtimes, all but those in TLS libraries, and
everything. The load generator shares the processors.${costOriginLines(runtimes)}
${remarks.map((line) => `\n- ${line}`).join('')}`;
}

/** What the names mean. */
function serverLines(runtimes: readonly RuntimeFigures[]): string[] {
  return ['| server | |', '| --- | --- |', ...runtimes.map(({ name, title }) => `| ${name} | ${title} |`)];
}

/** One line for each run that the figures are of. */
function originLines(runtimes: readonly RuntimeFigures[]): string[] {
  const lines = new Map<string, string[]>();
  for (const { name, origin } of runtimes) {
    const { date, command, machine, requests } = origin;
    const line = `${date}, \`${command}\`, at least ${number(requests)} requests a load, ${machine}`;
    lines.set(line, [...(lines.get(line) ?? []), name]);
  }
  if (lines.size === 1) return Array.from(lines.keys(), (line) => `Measured ${line}.`);
  return Array.from(lines, ([line, names]) => `- Measured ${line}: ${names.join(', ')}`);
}

/** Costs that are of another run than the rest. */
function costOriginLines(runtimes: readonly RuntimeFigures[]): string {
  const kept = runtimes.flatMap(({ name, costOrigin }) =>
    costOrigin === undefined ? [] : [{ name, costOrigin }],
  );
  if (kept.length === 0) return '';
  const commands = kept.map(({ name, costOrigin: { date, command } }) => `${name} ${date}, \`${command}\``);
  return ` System calls and throughput are of earlier runs: ${commands.join('; ')}.`;
}

function goalLine(runtimes: readonly RuntimeFigures[]): string {
  const rows = runtimes.flatMap(({ name, effects }) => effects.map((effect) => ({ name, effect })));
  const all = sumOf(
    rows.flatMap(({ effect }) => effect.loads.flatMap((load) => [load.plain, load.reversed])),
  );
  const count = (answer: GoalAnswer): number => rows.filter(({ effect }) => goalOf(effect) === answer).length;
  const short = [...new Set(rows.filter(({ effect }) => goalOf(effect) !== 'met').map(({ name }) => name))];
  return (
    `Of ${number(totalOf(all))} effects ${all.wrong === 0 ? 'none' : number(all.wrong)} ` +
    `${all.wrong > 1 ? 'are' : 'is'} on a wrong request. ` +
    `The goal is met by ${count('met')} of ${rows.length} rows, by ${count('with bytes')} more where bytes can help` +
    (short.length === 0 ? '.' : `; not by all rows of ${short.join(', ')}.`)
  );
}

/** Where blaming the thread's last request does the most harm. */
function threadLine(runtimes: readonly RuntimeFigures[]): string {
  const [worst] = runtimes
    .flatMap(({ name, effects }) => effects.map(({ thread }) => ({ name, wrong: shareOf(thread, 'wrong') })))
    .filter(({ wrong }) => wrong > 0)
    .toSorted((a, b) => b.wrong - a.wrong);
  return worst === undefined
    ? ''
    : `The thread's last request is wrong most often for ${worst.name}: ${(100 * worst.wrong).toFixed(0)} %.`;
}
