import { strict as assert } from 'node:assert';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { MadeUpEngine, runCli } from '../made-up-engine.ts';

let folder: string;
const at = (name: string): string => join(folder, name);
const run = (...argv: readonly string[]) =>
  runCli(['rules', 'import', ...argv], new MadeUpEngine(), {
    readRules: (path) => readFileSync(path, 'utf8'),
  });

const rule = (title: string, item: string): string =>
  `title: ${title}\nlogsource: {product: linux, category: process_creation}\ndetection: {s: {${item}}, condition: s}\n`;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'throughline-sigma-'));
  mkdirSync(at('rules/deep'), { recursive: true });
  writeFileSync(at('rules/b.yml'), rule('Second', 'Image|endswith: /nc'));
  writeFileSync(at('rules/deep/a.yaml'), rule('Third', 'Image|endswith: /ncat'));
  writeFileSync(at('rules/README.md'), 'no rule');
  writeFileSync(at('rules/.hidden.yml'), 'no: rule');
  symlinkSync('..', at('rules/deep/loop'));
  writeFileSync(at('odd.yml'), rule('Odd \x1b[2J', 'Foo: 1, Hashes: 2'));
  writeFileSync(at('large.yml'), 'a'.repeat(9 << 20));
});
after(() => rmSync(folder, { recursive: true, force: true }));

test('all of a folder, in order: the rules to stdout, what is to be known to stderr', async () => {
  const { exitCode, stdout, stderr } = await run('sigma', at('rules'));
  assert.equal(exitCode, 0, stderr);
  assert.deepEqual(stdout.match(/- rule: .*/g), ['- rule: "Second"', '- rule: "Third"']);
  assert.equal(stderr, '2 rules converted, 0 not\n');
});

test('into a file that loads; why others were not converted, safe to print; exit code 1', async () => {
  const { exitCode, stdout, stderr } = await run(
    'sigma',
    at('rules/b.yml'),
    at('odd.yml'),
    '-o',
    at('out.yaml'),
  );
  assert.deepEqual([exitCode, stderr], [1, '']);
  assert.equal(
    stdout,
    `${at('odd.yml')}:1: Odd \\e[2J: not converted
  3: field: no event has the field 'Foo'
  3: field: no event has the field 'Hashes': hashes of files are not computed
1 rules converted, 1 not
`,
  );
  const checked = await runCli(['rules', 'check', '--strict', at('out.yaml')], new MadeUpEngine(), {
    readRules: (path) => readFileSync(path, 'utf8'),
  });
  assert.equal(checked.exitCode, 0, checked.stdout);
});

test('--json: one object, with the text of each rule', async () => {
  const { exitCode, stdout } = await run('sigma', '--json', at('rules/b.yml'), at('odd.yml'));
  assert.equal(exitCode, 1);
  const report = JSON.parse(stdout) as { rules: Record<string, unknown>[] };
  const [good, bad] = report.rules;
  assert.deepEqual({ ...report, rules: [] }, { converted: 1, refused: 1, rules: [] });
  assert.match(String(good?.['yaml']), /^- rule: "Second"$/m);
  assert.deepEqual([good?.['rule'], good?.['problems'], good?.['notes']], ['Second', [], []]);
  assert.deepEqual([bad?.['rule'], bad?.['yaml'], bad?.['line']], [null, null, 1]);
});

test('mistakes, and files that are none', async () => {
  const cases: readonly (readonly [argv: readonly string[], exitCode: number, stderr: RegExp])[] = [
    [['snort', at('rules')], 64, /TL3002 .*FORMAT must be sigma, not snort/],
    [['sigma'], 64, /TL3002 .*PATH is missing/],
    [['sigma', at('none')], 66, /TL4001 .*none \(ENOENT\)/],
    [['sigma', at('rules'), '-o', at('none/out.yaml')], 73, /TL4010 .*none\/out\.yaml \(ENOENT\)/],
    [['sigma', at('large.yml')], 1, /too-large: the file is larger than 2 MiB/],
  ];
  for (const [argv, exitCode, stderr] of cases) {
    const result = await run(...argv);
    assert.match(result.stderr, stderr);
    assert.deepEqual([result.exitCode, result.stdout], [exitCode, '']);
  }
});
