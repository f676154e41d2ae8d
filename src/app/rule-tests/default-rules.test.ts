import { strict as assert } from 'node:assert';
import { suite, test } from 'node:test';
import { join } from 'node:path';
import { globSync, readFileSync } from 'node:fs';
import { loadRules } from '../../rules/load/load-rules.ts';
import { RuleSource } from '../../rules/text.ts';
import { testRuleFolder } from './test-folder.ts';

const FOLDER = join(import.meta.dirname, '..', '..', '..', 'rules');
const MIN_RULES = 60;
const CATEGORIES = [
  'web',
  'execution',
  'persistence',
  'credential-access',
  'escape',
  'network',
  'evasion',
  'impact',
];

suite('the rules that come with Throughline', () => {
  const paths = globSync('*.yaml', { cwd: FOLDER }).toSorted();
  const { rules, files } = loadRules(
    paths.map((path) => new RuleSource(path, readFileSync(join(FOLDER, path), 'utf8'))),
    { isStrict: true },
  );
  const report = testRuleFolder(FOLDER);

  test('are right, and ask for nothing that no event tells', () => {
    assert.deepEqual(
      files.flatMap(({ errors, warnings }) => [...errors, ...warnings]),
      [],
    );
  });

  test('are many', () => {
    assert.ok(rules.length >= MIN_RULES);
  });

  test('say what they are about, and what to do', () => {
    for (const { name, tags, description, output } of rules) {
      assert.ok(CATEGORIES.includes(tags[0] ?? ''), name);
      assert.ok(
        tags.some((tag) => tag.startsWith('mitre_')),
        name,
      );
      assert.ok(
        tags.some((tag) => /^T\d{4}(?:\.\d{3})?$/.test(tag)),
        name,
      );
      assert.match(description, /\.\sWhat to do: \S.{20,}/, name);
      assert.ok(output.text.includes('%'), name);
    }
  });

  test('fire where they must and nowhere else', () => {
    assert.deepEqual(report.errors, []);
    for (const { rule, outcome, failures, untold } of report.rules) {
      assert.deepEqual(failures, [], rule);
      assert.deepEqual([outcome, untold], ['passed', 0], rule);
    }
  });

  test('are quiet on ordinary work', () => {
    assert.ok(report.ordinary.length >= 12);
    for (const { name, failures } of report.ordinary) assert.deepEqual(failures, [], name);
  });
});
