/**
 * Runs what has to work everywhere (TEST_FILES below) on Debian's kernels, in QEMU: `make test-kernels`.
 *
 *   node scripts/test-kernels.ts [OPTIONS] [KERNEL...]     say: 6.1 newest; all where none is named
 *
 *   --write        keep what was measured in docs/kernels.json, for each kernel on which nothing failed, and put the
 *                  tables of all that is kept into docs/KERNELS.md
 *   --file FILE    run this test file there instead
 *   --v1           with cgroups of version 1 instead of 2
 *   --programs     run nothing: print what the tables call the programs as they are now
 *
 * Exit code 1 when a kernel failed, 130 after Ctrl-C.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fetchKernel, KERNEL_CHOICES, type KernelChoice } from './kernels/debian-kernels.ts';
import { withTables } from './kernels/document.ts';
import { runGuest, type GuestReport } from './kernels/guest.ts';
import {
  formatMeasurements,
  merge,
  parseMeasurements,
  programsHash,
  type Measurement,
} from './kernels/measurements.ts';
import { failuresOf, featureTable, measurementOf, resultTable, type KernelResult } from './kernels/table.ts';

const ROOT = join(import.meta.dirname, '..');
const ESSENTIALS = 'test/kernel/essentials.test.ts';
const TEST_FILES = [
  ESSENTIALS,
  'test/kernel/events.test.ts',
  'test/kernel/plans.test.ts',
  'test/kernel/other-plan.test.ts',
  'test/kernel/interruption.test.ts',
];
const DOCUMENT = join(ROOT, 'docs', 'KERNELS.md');
const MEASUREMENTS = join(ROOT, 'docs', 'kernels.json');
/** Where programs do not load, all else fails with them: the first tell why. */
const FAILURES_SHOWN = 2;
/** A guest takes about four minutes, on a busy machine three times that. */
const TIMEOUT_MS = 900_000;
/** What a shell calls the end of a process in which V8 gave up. */
const KILLED_BY_SIGTRAP = 128 + constants.signals.SIGTRAP;

const { values, positionals } = parseArgs({
  options: {
    write: { type: 'boolean', default: false },
    file: { type: 'string' },
    v1: { type: 'boolean', default: false },
    programs: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
if (values.programs) {
  console.log(programsHash(ROOT));
  process.exit();
}
const known = KERNEL_CHOICES.map(({ name }) => name);
const unknown = positionals.filter((name) => !known.includes(name));
const isWhole = values.file === undefined && !values.v1;
if (unknown.length > 0 || (values.write && !isWhole)) {
  console.error(`usage: test-kernels [--write | [--file FILE] [--v1]] [KERNEL...], of ${known.join(', ')}`);
  process.exit(2);
}
if (process.arch !== 'x64') {
  console.error(
    `test-kernels: guests run the host's programs on Debian's amd64 kernels; this is ${process.arch}`,
  );
  process.exit(1);
}

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

// Before the guests, which run for long: what they read is what there is now.
const now = { day: new Date().toISOString().slice(0, 10), programs: programsHash(ROOT) };
const results: KernelResult[] = [];
for (const choice of KERNEL_CHOICES) {
  if (stop.signal.aborted) break;
  if (positionals.length > 0 && !positionals.includes(choice.name)) continue;
  const result = await runKernel(choice);
  if (!stop.signal.aborted) results.push(result);
}
if (stop.signal.aborted) process.exit(130);

const measured = results.map((result) => measurementOf(result, now));
console.log(`\n${resultTable(measured)}\n\n${featureTable(measured)}`);
const failed = results.filter((result) => failuresOf(result).length > 0);
if (values.write) keep(measured.filter(({ kernel }) => failed.every(({ choice }) => choice.name !== kernel)));
// Once more, where whoever sees the end of a long output looks first.
for (const result of failed) tell(result, logFolderOf(result.choice));
process.exitCode = failed.length > 0 ? 1 : 0;

async function runKernel(choice: KernelChoice): Promise<KernelResult> {
  const logFolder = logFolderOf(choice);
  let result: KernelResult;
  try {
    const kernel = fetchKernel(choice);
    console.log(`${choice.name}: booting ${kernel.release}`);
    const { signal } = stop;
    const parameters = values.v1 ? `${choice.parameters} CGROUPS=v1` : choice.parameters;
    const testFiles =
      values.file !== undefined ? [values.file] : choice.isRefused ? [ESSENTIALS] : TEST_FILES;
    const options = { kernel, parameters, testFiles, logFolder, timeoutMs: TIMEOUT_MS, signal };
    let report = await runGuest(options);
    if (hasV8Ended(report) && !signal.aborted) {
      console.error(
        `${choice.name}: V8 ended itself in the emulator, which says nothing of the kernel; once more`,
      );
      report = await runGuest(options);
    }
    result = { choice, release: kernel.release, report };
  } catch (error) {
    // Never a reason to leave a kernel out: what was not tested has failed.
    const reason = error instanceof Error ? error.message : String(error);
    const report: GuestReport = { lines: [], exitCode: null, reason, elapsedMs: 0 };
    result = { choice, release: '', report };
  }
  if (stop.signal.aborted) return result;
  tell(result, logFolder);
  return result;
}

/** Node's JIT does not always live with an emulated processor: a check of V8 itself failed, not one of ours. */
function hasV8Ended({ lines, exitCode }: GuestReport): boolean {
  return (
    exitCode === KILLED_BY_SIGTRAP ||
    lines.some((line) => line.kind === 'test' && line.error.includes('# Fatal error in '))
  );
}

function logFolderOf({ name }: KernelChoice): string {
  return join(ROOT, '.cache', 'kernels', name);
}

function tell(result: KernelResult, logFolder: string): void {
  const { choice, release, report } = result;
  const failures = failuresOf(result);
  const seconds = (report.elapsedMs / 1000).toFixed(0);
  if (failures.length === 0) {
    console.log(`${choice.name}: ok, ${seconds} s`);
    return;
  }
  const where = release === '' ? '' : `; its logs are in ${logFolder}`;
  const more = failures.length - FAILURES_SHOWN;
  const shown = failures.slice(0, FAILURES_SHOWN).flatMap((failure) => failure.split('\n'));
  const rest = more > 0 ? [`(and ${more} more)`] : [];
  console.error([`${choice.name}: FAILED after ${seconds} s${where}`, ...shown, ...rest].join('\n  '));
}

function keep(good: readonly Measurement[]): void {
  const all = merge(parseMeasurements(readFileSync(MEASUREMENTS, 'utf8')), good, known);
  writeFileSync(MEASUREMENTS, formatMeasurements(all));
  writeFileSync(DOCUMENT, withTables(readFileSync(DOCUMENT, 'utf8'), all));
}
