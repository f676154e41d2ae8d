import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KernelFiles } from './debian-kernels.ts';
import type { GuestLine } from './guest-line.ts';
import { makeInitramfs } from './initramfs.ts';

const QEMU = 'qemu-system-x86_64';
const MEMORY_MB = 3072;
const PROCESSORS = 2;
/** JavaScript runs about 14 times slower than on the host: no hardware virtualization is asked for. */
const SLOWNESS = 15;
const RUN_SCRIPT = join(import.meta.dirname, 'guest', 'run.sh');

export interface GuestOptions {
  readonly kernel: KernelFiles;
  /** For the kernel's command line, besides ours. */
  readonly parameters: string;
  /** The test files that run in it, one after the other, from the checkout's root. */
  readonly testFiles: readonly string[];
  /** Where what it says goes: made anew. */
  readonly logFolder: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface GuestReport {
  readonly lines: readonly GuestLine[];
  /** Of the tests; null where the guest ended, or was ended, before they did. */
  readonly exitCode: number | null;
  /** Why there is no exit code. */
  readonly reason: string;
  readonly elapsedMs: number;
}

/**
 * Boots a kernel in QEMU on the host's root, which it cannot write to, and runs test files there. The guest tells how it
 * went by files in `logFolder`, and powers itself off; it never outlives this process.
 */
export async function runGuest(options: GuestOptions): Promise<GuestReport> {
  const { logFolder, timeoutMs, signal } = options;
  rmSync(logFolder, { recursive: true, force: true });
  mkdirSync(logFolder, { recursive: true });
  const initramfs = join(logFolder, 'initramfs.cpio');
  writeFileSync(initramfs, makeInitramfs(options.kernel));
  const startedAt = performance.now();
  const { failure, isLate } = await runToEnd(machine(options, initramfs), timeoutMs, signal);
  rmSync(initramfs);
  const code = read(join(logFolder, 'exit-code')).trim();
  return {
    lines: parseLines(read(join(logFolder, 'tests.jsonl'))),
    exitCode: code === '' ? null : Number(code),
    reason: isLate ? `ended after ${timeoutMs / 1000} s` : failure || 'the guest ended before its tests did',
    elapsedMs: performance.now() - startedAt,
  };
}

function machine({ kernel, parameters, testFiles, logFolder }: GuestOptions, initramfs: string): string[] {
  const commandLine = [
    // A panic reboots at once, and QEMU ends instead.
    'console=ttyS0 panic=-1 mitigations=off no5lvl',
    parameters,
    // What the kernel does not know is handed to init as variables.
    `RUN_SCRIPT=${RUN_SCRIPT} TEST_FILES=${testFiles.join(',')} MODULES_FOLDER=${kernel.modules} TEST_SLOWNESS=${SLOWNESS}`,
  ].join(' ');
  const share = (tag: string, path: string, more: string): string[] => [
    '-virtfs',
    `local,mount_tag=${tag},path=${path.replaceAll(',', ',,')},security_model=none${more}`,
  ];
  return [
    // Without protection keys: V8 as of Node 18 to 24 now and then ends in the middle of compiling where there are some.
    ...[
      '-accel',
      'tcg,thread=multi',
      '-cpu',
      'max,-pku',
      '-smp',
      String(PROCESSORS),
      '-m',
      String(MEMORY_MB),
    ],
    ...['-nodefaults', '-display', 'none', '-no-reboot'],
    ...['-serial', `file:${join(logFolder, 'console.log')}`],
    ...['-kernel', kernel.image, '-initrd', initramfs, '-append', commandLine],
    ...share('host', '/', ',readonly=on,multidevs=remap'),
    ...share('results', logFolder, ''),
  ];
}

/** Runs QEMU until it ends, the time is over, or the signal comes; then it has ended in any case. */
async function runToEnd(
  args: readonly string[],
  timeoutMs: number,
  signal: AbortSignal,
): Promise<{ failure: string; isLate: boolean }> {
  const deadline = AbortSignal.timeout(timeoutMs);
  // Goes with us, however we end.
  const child = spawn('setpriv', ['--pdeathsig', 'SIGKILL', QEMU, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    signal: AbortSignal.any([deadline, signal]),
    killSignal: 'SIGKILL',
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (errors = (errors + chunk).slice(-2000)));
  await new Promise<void>((done) => {
    child.once('close', () => done());
    child.once('error', (error) => {
      if (error.name === 'AbortError') return; // killed: it closes
      errors += error.message;
      if (child.pid === undefined) done();
    });
  });
  return { failure: errors.trim(), isLate: deadline.aborted };
}

function read(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

/** The last line may be half a one, where the guest was ended. */
function parseLines(text: string): GuestLine[] {
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as GuestLine);
}
