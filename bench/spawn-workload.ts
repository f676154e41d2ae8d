import { compile } from './compile.ts';
import { parseRate, runProgram, type Workload } from './workload.ts';

/** Starts the smallest program `count` times, one after the other. */
export async function spawnWorkload(count: number, signal: AbortSignal): Promise<Workload> {
  const loop = await compile('spawn-loop', [], signal);
  const nothing = await compileNothing(signal);
  return {
    name: 'process-starts',
    title: `${count.toLocaleString('en')} process starts`,
    metrics: [{ key: 'rate', title: 'process starts', unit: '/s', decimals: 0, better: 'more' }],
    run: async (runSignal) => ({
      rate: parseRate(await runProgram(loop, [String(count), nothing], runSignal)),
    }),
    async [Symbol.asyncDispose]() {},
  };
}

/** Static where libc can be: the dynamic linker is a large part of so small a program's life, and opens files. */
async function compileNothing(signal: AbortSignal): Promise<string> {
  try {
    return await compile('nothing', ['-static'], signal);
  } catch (error) {
    if (signal.aborted) throw error;
    return compile('nothing', [], signal);
  }
}
