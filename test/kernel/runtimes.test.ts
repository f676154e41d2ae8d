/** Where real programs keep what runs on their threads. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { findGoUnits } from '../../src/kernel/runtimes/go.ts';
import { LoadedFile, ProcessMemory, startTicksOf } from '../../src/kernel/runtimes/process-memory.ts';
import { findPythonUnits } from '../../src/kernel/runtimes/python.ts';
import type { UnitLayout } from '../../src/kernel/runtimes/unit-layout.ts';
import { ElfFile } from '../../src/kernel/uprobes/elf-file.ts';
import { goFunctions } from '../../src/kernel/uprobes/go-functions.ts';
import { OpenFile, readMappings } from '../../src/kernel/uprobes/mapped-files.ts';
import { requireKernel } from '../support/kernel.ts';
import { NewerGo, whyNoNewerGo } from '../support/newer-go.ts';

requireKernel();

type Find = (memory: ProcessMemory, file: LoadedFile) => UnitLayout | 'other' | null;

let directory = '';
const children: ChildProcess[] = [];
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'throughline-runtimes-'));
});
after(() => {
  for (const child of children) child.kill();
  rmSync(directory, { recursive: true });
});

/** Starts the program, waits for its first line, and looks at it. */
async function layoutOf(find: Find, program: string, args: readonly string[]): Promise<UnitLayout | null> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  await once(child.stdout, 'data');
  const { pid = 0 } = child;
  assert.ok((startTicksOf(pid) ?? 0) > 0);
  for (const mapped of readMappings(pid)) {
    using file = LoadedFile.open(mapped);
    if (file === null) continue;
    using memory = new ProcessMemory(pid);
    const layout = find(memory, file);
    if (layout !== null && layout !== 'other') return layout;
  }
  return null;
}

const hasGo = existsSync('/usr/bin/go');
if (!hasGo) console.error('SKIPPED: tests of Go programs: go is not installed (Debian package golang-go)');

describe('Go', { skip: hasGo ? false : 'go is not installed' }, () => {
  const build = (name: string, source: string, ...flags: string[]): string => {
    const file = join(directory, `${name}.go`);
    writeFileSync(file, source);
    const program = join(directory, name);
    execFileSync('/usr/bin/go', ['build', ...flags, '-o', program, file], {
      env: { PATH: '/usr/bin:/bin', HOME: directory, GOCACHE: join(tmpdir(), 'throughline-go-cache') },
    });
    return program;
  };
  const WAITS = 'func main() { os.Stdout.WriteString("ready\\n"); time.Sleep(time.Hour) }';
  const PLAIN = `package main\nimport ("os"; "time")\n${WAITS}\n`;
  // The C library's own thread-local variables stand beside Go's.
  const WITH_C = `package main\n// #include <errno.h>\n// static __thread long mine[5]; static long get(void) { return ++mine[0]; }\nimport "C"\nimport ("os"; "time")\nvar x = C.get()\n${WAITS}\n`;

  test('a plain program', async () => {
    const layout = await layoutOf(findGoUnits, build('plain', PLAIN), []);
    assert.equal(layout?.kind, 'go');
    assert.equal(layout.threadOffset, -8);
  });

  test('one without symbols', async () => {
    const layout = await layoutOf(findGoUnits, build('stripped', PLAIN, '-ldflags=-s -w'), []);
    assert.equal(layout?.threadOffset, -8);
  });

  test('its functions are found without symbols, where the symbols say they are', () => {
    const names = ['main.main', 'runtime.main', 'os.(*File).Write'];
    for (const flags of [[], ['-buildmode=pie']]) {
      using whole = new OpenFile(build('whole', PLAIN, ...flags));
      using stripped = new OpenFile(build('bare', PLAIN, '-ldflags=-s -w', ...flags));
      const symbols = ElfFile.open(whole)?.functions(names);
      assert.equal(symbols?.size, names.length);
      for (const file of [whole, stripped]) {
        const elf = ElfFile.open(file);
        assert.ok(elf !== null);
        assert.deepEqual(Object.fromEntries(goFunctions(elf, names)), Object.fromEntries(symbols));
      }
    }
  });

  test('one that is loaded anywhere', async () => {
    const layout = await layoutOf(findGoUnits, build('pie', PLAIN, '-buildmode=pie'), []);
    assert.equal(layout?.threadOffset, -8);
  });

  test('one with C in it', async () => {
    const layout = await layoutOf(findGoUnits, build('withc', WITH_C), []);
    assert.ok(layout !== null && layout.threadOffset < 0);
  });

  test('another program is none', async () => {
    assert.equal(await layoutOf(findGoUnits, '/bin/sh', ['-c', 'echo ready; read -r line']), null);
  });
});

describe('Go that knows who made a goroutine', { skip: whyNoNewerGo() ?? false }, () => {
  const source = `package main
import ("os"; "runtime"; "time")
func main() {
	for range 40 { go func() { time.Sleep(time.Hour) }() }
	runtime.Gosched()
	os.Stdout.WriteString("ready\\n")
	time.Sleep(time.Hour)
}
`;
  const build = (name: string, ...flags: string[]): string => {
    const file = join(directory, `${name}.go`);
    writeFileSync(file, source);
    const home = join(directory, name);
    mkdirSync(home);
    return new NewerGo(home).build('program', file, ...flags);
  };

  test('where that stands, and what was handed out', async () => {
    // runtime2.go of Go 1.24: g.parentGoid and p.goidcache on 64-bit machines.
    for (const flags of [[], ['-buildmode=pie']]) {
      const layout = await layoutOf(findGoUnits, build(`makers${flags.length}`, ...flags), []);
      assert.equal(layout?.makers?.parentOffset, 280);
      assert.equal(layout.makers.cacheOffset, 376);
    }
  });

  test('nothing is said of a program without symbols', async () => {
    const layout = await layoutOf(findGoUnits, build('makerless', '-ldflags=-s -w'), []);
    assert.equal(layout?.kind, 'go');
    assert.equal(layout.makers, undefined);
  });
});

describe('Python', () => {
  const python = '/usr/bin/python3';

  test('with asyncio', async () => {
    const source =
      'import asyncio\nasync def main():\n print("ready", flush=True)\n await asyncio.sleep(60)\nasyncio.run(main())';
    const layout = await layoutOf(findPythonUnits, python, ['-c', source]);
    assert.equal(layout?.kind, 'python');
    assert.ok(layout.threadOffset >= 0x310 && layout.threadOffset < 0x310 + 32 * 16);
    assert.ok(layout.memberOffset > 0 && layout.memberOffset < 768);
  });

  test('without: no context is in use', async () => {
    const source = 'import time\nprint("ready", flush=True)\ntime.sleep(60)';
    assert.equal(await layoutOf(findPythonUnits, python, ['-c', source]), null);
  });

  test('another program is none', async () => {
    assert.equal(await layoutOf(findPythonUnits, '/bin/sh', ['-c', 'echo ready; read -r line']), null);
  });
});
