import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LIBRARIES, librariesOf, libraryPrograms } from './libraries.ts';
import type { FunctionProbe } from './library-functions.ts';
import { LibraryProbes, type ProbeHost } from './library-probes.ts';
import { OpenFile, parseMappings, readMappings } from './mapped-files.ts';

describe('the catalogue', () => {
  const files: readonly (readonly [path: string, isProgram: boolean, library: string | null])[] = [
    ['/usr/lib/x86_64-linux-gnu/libssl.so.3', false, 'OpenSSL'],
    ['/usr/lib/libssl.so.1.1 (deleted)', false, 'OpenSSL'],
    ['/app/psycopg2_binary.libs/libssl-3e69114b.so.1.1.1k', false, 'OpenSSL'],
    ['/usr/lib/libgnutls.so.30.34.3', false, 'GnuTLS'],
    ['/usr/lib/libssl3.so', false, null], // of Mozilla's NSS: other functions
    ['/usr/lib/libssl.so.3.txt/x', false, null],
    ['/usr/bin/node', true, 'built-in OpenSSL'],
    ['/usr/bin/node', false, null],
  ];
  for (const [path, isProgram, library] of files)
    test(`${path}${isProgram ? ', the program' : ''}: ${library ?? 'none'}`, () => {
      assert.equal(
        librariesOf(path, isProgram).find(({ purpose }) => purpose === 'tls')?.name ?? null,
        library,
      );
    });

  test('what a library needs is among its functions, and both directions are needed', () => {
    for (const { needs, functions } of LIBRARIES) {
      const symbols = new Set(functions.map(({ symbol }) => symbol));
      for (const name of needs.flat()) assert.ok(symbols.has(name), name);
    }
    for (const purpose of ['tls', 'runtime'] as const) {
      const programs = libraryPrograms(purpose);
      assert.equal(new Set(programs).size, programs.length);
      assert.equal(programs.includes('tls_exit'), purpose === 'tls');
    }
  });
});

describe('mappings', () => {
  test('files with code, each once, opened by the very range', () => {
    const text = [
      '00400000-00452000 r-xp 00000000 08:02 173521      /usr/bin/dbus-daemon',
      '00651000-00652000 r--p 00051000 08:02 173521      /usr/bin/dbus-daemon',
      '7f0000000000-7f0000010000 r-xp 00001000 103:01 77 /opt/a b/libssl.so.3 (deleted)',
      '7f0000020000-7f0000030000 r-xp 00001000 103:01 77 /opt/a b/libssl.so.3 (deleted)',
      '7ffd00000000-7ffd00001000 r-xp 00000000 00:00 0   [vdso]',
      'nonsense',
      '7f0000040000-7f0000050000 rwxp 00000000 00:00 0',
    ].join('\n');
    assert.deepEqual(parseMappings(text, 5), [
      {
        key: '08:02:173521',
        path: '/usr/bin/dbus-daemon',
        handle: '/proc/5/map_files/400000-452000',
        address: 0x400000,
        fileOffset: 0,
      },
      {
        key: '103:01:77',
        path: '/opt/a b/libssl.so.3 (deleted)',
        handle: '/proc/5/map_files/7f0000000000-7f0000010000',
        address: 0x7f0000000000,
        fileOffset: 0x1000,
      },
    ]);
  });

  test('of a process that is gone: none', () => assert.deepEqual(readMappings(2 ** 30), []));

  test(
    'of this process: its program',
    { skip: process.getuid?.() === 0 ? false : 'only root opens map_files' },
    () => {
      const program = readMappings(process.pid).find(({ path }) => path === process.execPath);
      assert.ok(program);
      using file = new OpenFile(program.handle);
      assert.ok(file.sizeBytes > 1_000_000);
      assert.equal(file.read(file.sizeBytes - 1, 2), null);
    },
  );
});

/** A kernel that takes whatever it is given. */
class FakeHost implements ProbeHost {
  readonly purposes = new Set(['tls'] as const);
  readonly slots: number = 2;
  readonly attached = new Set<object>();
  isActive = false;
  isSettled = true;
  hitCount = 0;
  listeners: number[] = [];
  refuses = '';
  readonly runtimes = new Set<number>();
  readonly givenUp = new Set<string>();

  attach(path: string, slot: number, probes: readonly FunctionProbe[]): Disposable | null {
    if (probes.some(({ program }) => program === this.refuses)) return null;
    const attached = probes.map((probe) => ({ ...probe, path, slot }));
    for (const probe of attached) this.attached.add(probe);
    this.isSettled = false;
    return {
      [Symbol.dispose]: () => {
        for (const probe of attached) assert.ok(this.attached.delete(probe));
      },
    };
  }

  settle(): void {
    this.isSettled = true;
  }

  setActive(isActive: boolean): void {
    this.isActive = isActive;
  }

  hits(): number {
    return this.hitCount >>> 0;
  }

  takeListeners(): number[] {
    return this.listeners.splice(0);
  }

  setRuntime(pid: number): void {
    this.runtimes.add(pid);
  }

  giveUp(kind: string): void {
    this.givenUp.add(kind);
  }
}

const isRoot = process.getuid?.() === 0;

describe('attaching', { skip: isRoot ? false : 'only root opens map_files' }, () => {
  test('the program of a process that begins to listen; once, however often it is seen; and off at the end', () => {
    const host = new FakeHost();
    {
      using probes = new LibraryProbes(host);
      host.listeners.push(process.pid);
      probes.step(0);
      if (host.attached.size === 0) return; // Node.js with a shared OpenSSL that no longer stands there
      const count = host.attached.size;
      assert.ok(host.isActive);
      assert.match(probes.describe()[0] ?? '', /OpenSSL in /);
      for (let second = 1; second < 100; second++) {
        probes.serves(process.pid, second * 1000);
        probes.step(second * 1000);
      }
      assert.equal(host.attached.size, count);
      assert.equal(probes.takeLosses(), null);
    }
    assert.equal(host.attached.size, 0);
    assert.ok(!host.isActive);
    assert.ok(host.isSettled);
  });

  test('what fires too often is taken off for good, and told', () => {
    const host = new FakeHost();
    using probes = new LibraryProbes(host, { hitsPerSecond: 1000 });
    host.listeners.push(process.pid);
    probes.step(0);
    if (host.attached.size === 0) return;
    for (let second = 1; second <= 5; second++) {
      host.hitCount += 500; // no reason
      probes.step(second * 1000);
    }
    assert.ok(host.attached.size > 0);
    for (let second = 6; second <= 8; second++) {
      host.hitCount += 1500;
      probes.step(second * 1000);
    }
    assert.equal(host.attached.size, 0);
    assert.ok(!host.isActive);
    assert.deepEqual(probes.takeLosses(), { 'library-too-busy': 1 });
    assert.equal(probes.takeLosses(), null);
    host.listeners.push(process.pid);
    probes.step(9000);
    assert.equal(host.attached.size, 0);
  });

  test('hits are counted from the first probe on, over the end of the counter, and after the last one', () => {
    const host = new FakeHost();
    host.hitCount = 2 ** 32 - 50; // of who had the slot before
    const probes = new LibraryProbes(host);
    host.listeners.push(process.pid);
    probes.step(0);
    if (host.attached.size === 0) return;
    assert.deepEqual(probes.use(), []);
    host.hitCount += 30;
    probes.step(2000);
    host.hitCount += 40;
    const [use, ...others] = probes.use();
    assert.equal(use?.hits, 70);
    assert.deepEqual(others, []);
    host.hitCount += 5;
    probes[Symbol.dispose]();
    assert.equal(probes.use()[0]?.hits, 75);
  });

  test('a file of which the kernel takes only a part is left alone, and told', () => {
    const host = new FakeHost();
    host.refuses = 'tls_write_enter';
    using probes = new LibraryProbes(host);
    host.listeners.push(process.pid);
    probes.step(0);
    assert.equal(host.attached.size, 0);
    assert.ok(!host.isActive);
  });

  test('of more processes than can be looked at, the rest are told', () => {
    using probes = new LibraryProbes(new FakeHost(), { processesPerStep: 0 });
    for (let pid = 1; pid <= 1100; pid++) probes.serves(pid, 0);
    assert.deepEqual(probes.takeLosses(), { 'process-not-looked-at': 76 });
  });
});
