/** The rules that come with it, on recordings of what they are about, and of what they are to let pass. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { categories, readListing } from './support/operations/listing.ts';
import { operationsPath, replayOperations } from './support/operations/recordings.ts';
import { testOperations } from './support/operations/testing.ts';

const RULES = join(import.meta.dirname, '..', 'rules');
const LIMIT_BYTES = 300_000;

interface RuleEntry {
  readonly rule?: string;
  readonly desc?: string;
  readonly condition?: string;
  readonly output?: string;
  readonly sequence?: unknown;
}

function defaultRules(): RuleEntry[] {
  return readdirSync(RULES)
    .filter((name) => name.endsWith('.yaml'))
    .flatMap((name) => parse(readFileSync(join(RULES, name), 'utf8')) as RuleEntry[])
    .filter(({ rule }) => rule !== undefined);
}

test('every rule has an operation that makes it fire and its harmless twin, or the reason why there is none', () => {
  const listed = categories().flatMap((category) => {
    const { operations, impossible } = readListing(category);
    return [...operations, ...impossible].map(({ rule }) => rule);
  });
  assert.deepEqual(
    listed.toSorted(),
    defaultRules()
      .map(({ rule }) => rule ?? '')
      .toSorted(),
  );
});

test('every rule says what it sees, and what to do about it', () => {
  for (const { rule, desc = '' } of defaultRules()) {
    const [seen = '', ...todo] = desc.split('What to do: ');
    assert.ok(seen.trim().length >= 20 && /\.\s*$/.test(seen), `${rule}: what it sees`);
    assert.equal(todo.length, 1, `${rule}: what to do`);
    assert.ok((todo[0] ?? '').trim().length >= 20 && /\.\s*$/.test(todo[0] ?? ''), `${rule}: what to do`);
  }
});

test('every rule that can fire on what a request did says who sent it and what', () => {
  for (const { rule, condition = '', output = '', sequence } of defaultRules()) {
    const text = sequence === undefined ? condition : JSON.stringify(sequence);
    if (/and not by_request(?:\s|$)/.test(text)) continue;
    for (const field of ['http.method', 'http.client_ip'])
      assert.ok(output.includes(field), `${rule}: ${field}`);
  }
});

for (const category of categories()) {
  testOperations(category, () => Promise.resolve(replayOperations(category)));

  test(`${category}: the recording is small`, () => {
    assert.ok(statSync(operationsPath(category)).size < LIMIT_BYTES);
  });
}
