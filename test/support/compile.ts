import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const PROGRAMS = join(import.meta.dirname, '..', 'kernel', 'programs');

/** Compiles test/kernel/programs/NAME.c into the directory and returns the path of the program. Throws with what the compiler says. */
export function compileProgram(
  name: string,
  directory: string,
  flags: readonly string[] = [],
  programs = PROGRAMS,
): string {
  const program = join(directory, name);
  const source = join(programs, `${name}.c`);
  execFileSync('clang', ['-O2', '-Wall', '-Wextra', '-Werror', '-pthread', source, '-o', program, ...flags], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return program;
}
