import type { KernelChoice } from './debian-kernels.ts';
import type { GuestReport } from './guest.ts';
import type { TestLine } from './guest-line.ts';
import type { Measurement } from './measurements.ts';

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

/**
 * What is kept of how a kernel went: enough for the tables.
 * @param when the day, as YYYY-MM-DD, and what names the programs that ran there
 */
export function measurementOf(
  result: KernelResult,
  { day, programs }: { readonly day: string; readonly programs: string },
): Measurement {
  const { choice, release, report } = result;
  return {
    kernel: choice.name,
    release,
    day,
    programs,
    isRefused: choice.isRefused,
    elapsedMs: Math.round(report.elapsedMs),
    tests: testsOf(result)
      .filter((one) => one.result !== 'skip')
      .map(({ name, ms, result: how }) => ({ name, ms: how === 'pass' ? Math.round(ms) : null })),
    features: featuresOf(report),
  };
}

/** Kernels across, tests down, as a table of Markdown: seconds where a test passed. */
export function resultTable(measurements: readonly Measurement[]): string {
  const names = new Set(measurements.flatMap(({ tests }) => tests.map(({ name }) => name)));
  return markdownTable([
    headOf(measurements),
    ['measured', ...measurements.map(({ day }) => day)],
    ['programs', ...measurements.map(({ programs }) => programs)],
    ...[...names].map((name) => [name, ...measurements.map((one) => cell(one, name))]),
    ['all, with booting', ...measurements.map(({ elapsedMs }) => seconds(elapsedMs))],
  ]);
}

function cell({ tests, isRefused }: Measurement, name: string): string {
  const test = tests.find((one) => one.name === name);
  if (test === undefined) return isRefused ? 'refused' : '-';
  return test.ms === null ? '**failed**' : seconds(test.ms);
}

/** Kernels across, features of `throughline doctor` down. */
export function featureTable(measurements: readonly Measurement[]): string {
  const names = new Set(measurements.flatMap(({ features }) => features.map(({ name }) => name)));
  return markdownTable([
    headOf(measurements),
    ...[...names].map((name) => [
      name,
      ...measurements.map(({ features }) => features.find((one) => one.name === name)?.answer ?? '-'),
    ]),
  ]);
}

function headOf(measurements: readonly Measurement[]): string[] {
  return ['', ...measurements.map(({ release, kernel }) => release || kernel)];
}

const FEATURE = /^feature (.+): (\w+)$/;

function featuresOf({ lines }: GuestReport): Measurement['features'] {
  return lines.flatMap((line) => {
    const found = line.kind === 'note' ? FEATURE.exec(line.text) : null;
    return found === null ? [] : [{ name: found[1] ?? '', answer: found[2] ?? '' }];
  });
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
