import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { readFunctions, stackUse, type BpfFunction } from './check-stack.ts';

const made = (name: string, ownBytes: number, calls: readonly string[], isProgram = false): BpfFunction => ({
  name,
  ownBytes,
  calls,
  isProgram,
});

suite('stack of programs', () => {
  test('is that of the deepest way, each share rounded up', () => {
    const uses = stackUse([
      made('small', 0, [], true),
      made('program', 232, ['shallow', 'deep'], true),
      made('shallow', 200, []),
      made('deep', 130, ['leaf', 'bpf_of_the_kernel']),
      made('leaf', 8, []),
    ]);
    assert.deepEqual(uses, [
      { program: 'program', totalBytes: 256 + 224, path: ['program 256', 'shallow 224'] },
      { program: 'small', totalBytes: 32, path: ['small 32'] },
    ]);
  });

  test('is read from what clang writes: variables, calls within a section and between two', () => {
    const source = `
      #define SEC(name) __attribute__((section(name), used))
      static long (*note)(void *, int) = (void *)6;
      __attribute__((noinline)) int shown(long number) { char text[40]; note(text, number); return text[number & 31]; }
      static __attribute__((noinline)) int hidden(long number) {
        char one[8], other[160];
        note(one, number); note(other, number);
        return other[number & 127] + one[0] + shown(number);
      }
      SEC("raw_tp/one") int program(long *context) { long kept = context[0]; note(&kept, 8); return hidden(kept); }
      SEC("raw_tp/two") int leaf(long *context) { return context[1]; }
    `;
    const directory = mkdtempSync(join(tmpdir(), 'throughline-stack-'));
    try {
      const path = join(directory, 'object.o');
      const flags = ['-target', 'bpf', '-O2', '-mcpu=v3', '-x', 'c', '-', '-c', '-o', path];
      execFileSync('clang', flags, { input: source, stdio: ['pipe', 'pipe', 'pipe'] });
      const functions = readFunctions(readFileSync(path));
      const of = (name: string) => functions.find((one) => one.name === name);
      assert.deepEqual(of('program')?.calls, ['hidden']);
      assert.deepEqual(of('hidden')?.calls, ['shown']);
      assert.deepEqual(of('leaf'), made('leaf', 0, [], true));
      assert.ok((of('shown')?.ownBytes ?? 0) >= 40);
      const hidden = of('hidden')?.ownBytes ?? 0;
      assert.ok(hidden >= 168 && hidden <= 192, `${hidden} bytes`);
      assert.deepEqual(
        stackUse(functions).map(({ program }) => program),
        ['program', 'leaf'],
      );
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
