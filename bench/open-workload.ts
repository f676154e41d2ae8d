import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compile } from './compile.ts';
import { parseRate, runProgram, type Workload } from './workload.ts';

/**
 * Opens and closes one file as fast as one thread can, in a process that serves no request: what a system call that
 * nobody wants costs.
 */
export async function openWorkload(seconds: number, signal: AbortSignal): Promise<Workload> {
  const storm = await compile('open-storm', [], signal);
  const directory = await mkdtemp(join(tmpdir(), 'throughline-bench-'));
  const file = join(directory, 'file');
  await writeFile(file, '');
  return {
    name: 'open-storm',
    title: `open and close for ${seconds} s`,
    metrics: [{ key: 'rate', title: 'open and close', unit: '/s', decimals: 0, better: 'more' }],
    run: async (runSignal) => ({
      rate: parseRate(await runProgram(storm, [String(seconds), file], runSignal)),
    }),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
