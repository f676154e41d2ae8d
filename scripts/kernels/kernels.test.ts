import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { cpioArchive } from './cpio.ts';
import { dependencies, type KernelChoice } from './debian-kernels.ts';
import { withTables } from './document.ts';
import type { GuestLine } from './guest-line.ts';
import { formatMeasurements, merge, parseMeasurements, programsHash } from './measurements.ts';
import { loadOrder } from './modules.ts';
import { failuresOf, featureTable, measurementOf, resultTable, type KernelResult } from './table.ts';

test('an archive is one that cpio unpacks', () => {
  const directory = mkdtempSync(join(tmpdir(), 'throughline-cpio-'));
  try {
    const content = Buffer.from('five!');
    const archive = cpioArchive([
      { path: 'folder', content: null },
      { path: 'folder/file', content, mode: 0o640 },
      { path: 'folder/empty', content: Buffer.alloc(0) },
    ]);
    execFileSync('/bin/busybox', ['cpio', '-i'], {
      cwd: directory,
      input: archive,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    assert.deepEqual(readFileSync(join(directory, 'folder/file')), content);
    assert.equal(statSync(join(directory, 'folder/file')).mode & 0o777, 0o640);
    assert.equal(statSync(join(directory, 'folder/empty')).size, 0);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

suite('modules', () => {
  const modulesDep = [
    'kernel/fs/9p/9p.ko.xz: kernel/fs/netfs/netfs.ko.xz kernel/net/9p/9pnet.ko.xz',
    'kernel/net/9p/9pnet.ko.xz:',
    'kernel/fs/netfs/netfs.ko.xz:',
    'kernel/drivers/virtio/virtio_pci.ko: kernel/drivers/virtio/virtio_ring.ko kernel/drivers/virtio/virtio.ko',
    'kernel/drivers/net/tap-device.ko:',
    '',
  ].join('\n');

  test('each comes after all that it needs, and once', () => {
    assert.deepEqual(loadOrder(modulesDep, ['virtio_pci', '9p', '9pnet']), [
      'kernel/drivers/virtio/virtio.ko',
      'kernel/drivers/virtio/virtio_ring.ko',
      'kernel/drivers/virtio/virtio_pci.ko',
      'kernel/net/9p/9pnet.ko.xz',
      'kernel/fs/netfs/netfs.ko.xz',
      'kernel/fs/9p/9p.ko.xz',
    ]);
  });

  test('names are told with _, and what is built in has no file', () => {
    assert.deepEqual(loadOrder(modulesDep, ['tap_device', 'overlay']), ['kernel/drivers/net/tap-device.ko']);
  });
});

test('packages that another one depends on', () => {
  assert.deepEqual(
    dependencies('dracut | initramfs-tools (>= 0.120), linux-base-7.3.4+deb13-amd64 (= 7.3.4-1~bpo13+1)'),
    ['dracut', 'linux-base-7.3.4+deb13-amd64'],
  );
});

suite('what is made of a run', () => {
  const choice: KernelChoice = { name: '6.1', suites: ['bookworm'], parameters: '', isRefused: false };
  const line = (name: string, result: 'pass' | 'fail' | 'skip', error = ''): GuestLine => ({
    kind: 'test',
    name,
    result,
    ms: 1234,
    error,
  });
  const run = (lines: readonly GuestLine[], exitCode: number | null, isRefused = false): KernelResult => ({
    choice: { ...choice, isRefused },
    release: '6.1.0-1-amd64',
    report: { lines, exitCode, reason: 'ended after 360 s', elapsedMs: 60_000 },
  });

  test('passed', () => {
    assert.deepEqual(failuresOf(run([line('doctor', 'pass')], 0)), []);
  });

  test('a test failed', () => {
    assert.deepEqual(failuresOf(run([line('doctor', 'fail', 'why')], 1)), ['doctor: why']);
  });

  test('the guest ended before its tests, whatever passed until then', () => {
    assert.deepEqual(failuresOf(run([line('doctor', 'pass')], null)), ['ended after 360 s']);
  });

  test('no test ran, or something around them failed', () => {
    assert.deepEqual(failuresOf(run([], 0)), ['no test ran']);
    assert.deepEqual(failuresOf(run([line('doctor', 'pass')], 7)), ['the tests ended with 7']);
  });

  test('tests may be left out where nothing can run, and nowhere else', () => {
    const lines = [line('doctor', 'pass'), line('observed', 'skip')];
    assert.deepEqual(failuresOf(run(lines, 0)), ['left out: observed']);
    assert.deepEqual(failuresOf(run(lines, 0, true)), []);
    assert.deepEqual(failuresOf(run([line('doctor', 'pass')], 0, true)), ['left out: nothing']);
  });

  const measured = (result: KernelResult, programs = '0a1b2c3d') =>
    measurementOf(result, { day: '2026-01-31', programs });

  test('tables', () => {
    const measurements = [
      run(
        [
          { kind: 'note', text: 'feature trampolines: supported' },
          line('doctor', 'pass'),
          line('exec', 'fail'),
          line('observed', 'fail'),
        ],
        1,
      ),
      run([line('doctor', 'pass'), line('observed', 'skip')], 0, true),
    ].map((result) => measured(result));
    assert.equal(
      resultTable(measurements),
      [
        '|                   | 6.1.0-1-amd64 | 6.1.0-1-amd64 |',
        '| ----------------- | ------------- | ------------- |',
        '| measured          | 2026-01-31    | 2026-01-31    |',
        '| programs          | 0a1b2c3d      | 0a1b2c3d      |',
        '| doctor            | 1.2 s         | 1.2 s         |',
        '| exec              | **failed**    | refused       |',
        '| observed          | **failed**    | refused       |',
        '| all, with booting | 60.0 s        | 60.0 s        |',
      ].join('\n'),
    );
    assert.match(featureTable(measurements), /^\| trampolines \| supported +\| - +\|$/m);
  });

  test('of a kernel that is measured anew nothing stays, of the others all does, in their order', () => {
    const of = (name: string, programs: string) => ({
      ...measured(run([line('doctor', 'pass')], 0), programs),
      kernel: name,
    });
    const kept = [of('6.1', 'aaaaaaaa'), of('newest', 'aaaaaaaa'), of('4.19', 'aaaaaaaa')];
    const all = merge(kept, [of('newest', 'bbbbbbbb'), of('5.10', 'bbbbbbbb')], ['5.10', '6.1', 'newest']);
    assert.deepEqual(
      all.map(({ kernel, programs }) => [kernel, programs]),
      [
        ['5.10', 'bbbbbbbb'],
        ['6.1', 'aaaaaaaa'],
        ['newest', 'bbbbbbbb'],
      ],
    );
    assert.deepEqual(parseMeasurements(formatMeasurements(all)), all);
  });

  test('the tables are the end of the document, however often they are put there', () => {
    const empty = 'Text.\n\n<!-- measured: make test-kernels ARGS=--write -->\nold\n';
    const measurements = [measured(run([line('doctor', 'pass')], 0))];
    const once = withTables(empty, measurements);
    assert.match(once, /^Text\.\n\n<!--[^\n]+-->\n\n\|[^]+\| doctor +\| 1\.2 s +\|\n/);
    assert.doesNotMatch(once, /old/);
    assert.equal(withTables(once, measurements), once);
    assert.throws(() => withTables('Text.\n', measurements), /no place/);
  });

  test('programs are named by their sources: names and content, and nothing else', () => {
    const root = mkdtempSync(join(tmpdir(), 'throughline-programs-'));
    try {
      mkdirSync(join(root, 'bpf', 'lib'), { recursive: true });
      writeFileSync(join(root, 'bpf', 'main.bpf.c'), 'int a;');
      writeFileSync(join(root, 'bpf', 'lib', 'a.h'), 'int b;');
      const before = programsHash(root);
      assert.match(before, /^[0-9a-f]{8}$/);
      writeFileSync(join(root, 'bpf', 'LICENSE'), 'text');
      assert.equal(programsHash(root), before);
      writeFileSync(join(root, 'bpf', 'lib', 'a.h'), 'int c;');
      assert.notEqual(programsHash(root), before);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
});
