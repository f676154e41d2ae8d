import type { KernelChoice } from './debian-kernels.ts';
import type { GuestReport } from './guest.ts';
import type { TestLine } from './guest-line.ts';

/** How a kernel went. */
export interface KernelResult {
  readonly choice: KernelChoice;
  /** As `uname -r` says; '' where it could not be fetched. */
  readonly release: string;
  readonly report: GuestReport;
}

const testsOf = ({ report }: KernelResult): TestLine[] => report.lines.filter((line) => line.kind === 'test');

/** What is wrong with it, for people; [] where all is as it has to be. */
export function failuresOf(result: KernelResult): string[] {
  const { report, choice } = result;
  const tests = testsOf(result);
  const failed = tests.filter((one) => one.result === 'fail').map(({ name, error }) => `${name}: ${error}`);
  const skipped = tests.filter((one) => one.result === 'skip').map(({ name }) => name);
  if (report.exitCode === null) return [...failed, report.reason];
  if (tests.length === 0) return ['no test ran'];
  if (report.exitCode !== 0 && failed.length === 0) return [`the tests ended with ${report.exitCode}`];
  // Only where it is known that nothing can run may tests be left out.
  return choice.isRefused === skipped.length > 0
    ? failed
    : [...failed, `left out: ${skipped.join(', ') || 'nothing'}`];
}

/** Kernels across, tests down, as a table of Markdown: seconds where a test passed. */
export function resultTable(results: readonly KernelResult[]): string {
  const names = new Set(
    results
      .flatMap((result) => testsOf(result).filter((one) => one.result !== 'skip'))
      .map(({ name }) => name),
  );
  const rows = [
    ['', ...results.map(({ release, choice }) => release || choice.name)],
    ...[...names].map((name) => [name, ...results.map((result) => cell(result, name))]),
    ['all, with booting', ...results.map(({ report }) => seconds(report.elapsedMs))],
  ];
  return markdownTable(rows);
}

function cell(result: KernelResult, name: string): string {
  const test = testsOf(result).find((one) => one.name === name);
  if (test === undefined || test.result === 'skip') return result.choice.isRefused ? 'refused' : '-';
  return test.result === 'pass' ? seconds(test.ms) : '**failed**';
}

const FEATURE = /^feature (.+): (\w+)$/;

/** Kernels across, features of `throughline doctor` down. */
export function featureTable(results: readonly KernelResult[]): string {
  const answers = results.map(
    ({ report }) =>
      new Map(
        report.lines.flatMap((line) => {
          const found = line.kind === 'note' ? FEATURE.exec(line.text) : null;
          return found === null ? [] : [[found[1] ?? '', found[2] ?? ''] as const];
        }),
      ),
  );
  const names = new Set(answers.flatMap((one) => [...one.keys()]));
  return markdownTable([
    ['', ...results.map(({ release, choice }) => release || choice.name)],
    ...[...names].map((name) => [name, ...answers.map((one) => one.get(name) ?? '-')]),
  ]);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function markdownTable(rows: readonly (readonly string[])[]): string {
  const [head = [], ...rest] = rows;
  const widths = head.map((_, column) => Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rest.map(line)].join('\n');
}
