import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ERRORS } from '../src/base/errors.ts';
import { COMMANDS } from '../src/cli/registry.ts';
import { generateCliReference } from './gen/cli-reference.ts';
import { generateErrorReference } from './gen/error-reference.ts';
import { markdownTable } from './gen/markdown.ts';
import { generateRuleFieldReference } from './gen/rule-field-reference.ts';
import { FIELDS } from '../src/rules/fields/registry.ts';

const reference = (name: string) =>
  readFileSync(join(import.meta.dirname, '../docs/reference', name), 'utf8');

test('the references are those that the sources give', () => {
  assert.equal(reference('cli.md'), generateCliReference());
  assert.equal(reference('errors.md'), generateErrorReference());
  assert.equal(reference('rule-fields.md'), generateRuleFieldReference());
});

test('every error, command, option and field is in them', () => {
  for (const { name } of FIELDS) assert.ok(generateRuleFieldReference().includes(`| \`${name}`), name);
  for (const code of Object.keys(ERRORS)) assert.ok(generateErrorReference().includes(`| ${code} |`));
  for (const command of COMMANDS) {
    assert.ok(generateCliReference().includes(`\n## ${command.name}\n`));
    for (const [name] of command.options) assert.ok(generateCliReference().includes(`--${name}`));
  }
});

test('a cell cannot end its table', () => {
  assert.equal(markdownTable(['a'], [['x|y\nz']]), '| a |\n| --- |\n| x\\|y z |');
});
