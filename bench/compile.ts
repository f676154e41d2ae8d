import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { giveBack, ROOT } from './checkout.ts';
import { runProgram } from './workload.ts';

const SOURCES = join(import.meta.dirname, 'programs');

/** Compiles bench/programs/NAME.c and returns the path of the program. */
export async function compile(name: string, flags: readonly string[], signal: AbortSignal): Promise<string> {
  const directory = join(ROOT, 'build', 'bench');
  await mkdir(directory, { recursive: true });
  const program = join(directory, name);
  await runProgram(
    'clang',
    ['-O2', '-Wall', '-Wextra', ...flags, join(SOURCES, `${name}.c`), '-o', program],
    signal,
  );
  await giveBack(join(ROOT, 'build'), directory, program);
  return program;
}
