import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { interestOf } from '../interest.ts';
import { RuleSet } from '../rule-set.ts';
import { load, makeConnection, makeEvent, makeProcess, problemsOf, ruleText } from '../testing.ts';

/**
 * A reload must not hold up the events. Where each term looked at all before it, this took twelve seconds; now it is one, and
 * more where others use the processor's caches.
 */
const MOST_MS = 8000;

/** Time on processors, so that it does not matter who else runs. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const COUNT = 40_000;
const numbers = Array.from({ length: COUNT }, (_, index) => index);
const path = (index: number) => `/opt/absent${index}/bin`;

function loadedIn(text: string): RuleSet {
  const start = cpuMs();
  const loaded = load(text);
  interestOf(loaded.rules);
  const set = new RuleSet(loaded.rules, {
    matching: 'all',
    onBroken: (_, error) => {
      throw error;
    },
  });
  // The program for events of one type is made when the first comes.
  set.evaluate(makeEvent({ type: 'close' }), () => {});
  set.evaluate(makeEvent({ type: 'execve' }), () => {});
  const elapsed = cpuMs() - start;
  assert.deepEqual(problemsOf(loaded), []);
  assert.ok(elapsed < MOST_MS, `it took ${elapsed.toFixed(0)} ms`);
  return set;
}

function countOf(set: RuleSet, event: ReturnType<typeof makeEvent>): number {
  let count = 0;
  set.evaluate(event, () => count++);
  return count;
}

const runs = (executable: string) => makeEvent({ process: makeProcess({ executable }) });
const connects = (address: string, port = 443) =>
  makeEvent({ type: 'connect', descriptor: makeConnection({ server: { address, port } }) });

test('forty thousand terms joined by or', () => {
  const set = loadedIn(ruleText(numbers.map((index) => `proc.exepath = ${path(index)}`).join(' or ')));
  assert.equal(countOf(set, runs(path(COUNT - 1))), 1);
  assert.equal(countOf(set, runs(path(COUNT))), 0);
});

test('forty thousand terms joined by and', () => {
  const set = loadedIn(ruleText(numbers.map((index) => `not proc.exepath = ${path(index)}`).join(' and ')));
  assert.equal(countOf(set, runs(path(7))), 0);
  assert.equal(countOf(set, runs('/bin/sh')), 1);
});

test('ten thousand fields', () => {
  const set = loadedIn(
    ruleText(
      numbers
        .slice(0, 10_000)
        .map((index) => `http.query[a${index}] = x`)
        .join(' or '),
    ),
  );
  assert.equal(countOf(set, runs('/bin/sh')), 0);
});

test('forty thousand event types', () => {
  const set = loadedIn(
    ruleText(numbers.map((index) => `evt.type = ${index % 2 ? 'open' : 'execve'}`).join(' or ')),
  );
  assert.equal(countOf(set, runs('/bin/sh')), 1);
});

test('forty thousand addresses, and ports', () => {
  const address = (index: number) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
  const addresses = loadedIn(ruleText(numbers.map((index) => `fd.sip = ${address(index)}`).join(' or ')));
  assert.equal(countOf(addresses, connects(address(COUNT - 1))), 1);
  assert.equal(countOf(addresses, connects(address(COUNT))), 0);
  const ports = loadedIn(ruleText(numbers.map((index) => `fd.sport = ${index}`).join(' or ')));
  assert.equal(countOf(ports, connects('1.1.1.1', 39_999)), 1);
  assert.equal(countOf(ports, connects('1.1.1.1', 40_000)), 0);
});

test('lists in lists, up to the most that a list may have', () => {
  const lists = Array.from({ length: 1000 }, (_, list) => {
    const items = Array.from({ length: 100 }, (_, index) => path(list * 100 + index));
    return `- list: l${list}\n  items: [${items.join(', ')}]\n`;
  });
  const all = `- list: all\n  items: [${lists.map((_, index) => `l${index}`).join(', ')}]\n`;
  const set = loadedIn(`${lists.join('')}${all}${ruleText('proc.exepath in (all)')}`);
  assert.equal(countOf(set, runs(path(99_999))), 1);
  assert.equal(countOf(set, runs(path(100_000))), 0);
});

test('a list that stands ten thousand times', () => {
  const uses = numbers.slice(0, 10_000).map((index) => `proc.name in (l, x${index})`);
  const set = loadedIn(`- list: l\n  items: [a, b]\n${ruleText(uses.join(' or '))}`);
  assert.equal(countOf(set, makeEvent({ process: makeProcess({ comm: 'x9999' }) })), 1);
});

test('a macro that stands ten thousand times, and ten thousand macros', () => {
  const uses = Array.from({ length: 10_000 }, () => 'm').join(' or ');
  const one = loadedIn(`- macro: m\n  condition: proc.name = x and proc.pid = 7\n${ruleText(uses)}`);
  assert.equal(countOf(one, makeEvent({ process: makeProcess({ comm: 'x', pid: 7 }) })), 1);
  const macros = numbers
    .slice(0, 10_000)
    .map((index) => `- macro: m${index}\n  condition: proc.name = x${index}\n`);
  const names = macros.map((_, index) => `m${index}`).join(' or ');
  const many = loadedIn(`${macros.join('')}${ruleText(names)}`);
  assert.equal(countOf(many, makeEvent({ process: makeProcess({ comm: 'x9999' }) })), 1);
});

test('macros that multiply are refused before they are made', () => {
  const macros = Array.from(
    { length: 14 },
    (_, index) => `- macro: m${index + 1}\n  condition: m${index} or m${index}\n`,
  );
  const uses = Array.from({ length: 5000 }, () => 'm14').join(' or ');
  const start = cpuMs();
  const loaded = load(
    `- macro: m0\n  condition: proc.name = x or proc.name = y\n${macros.join('')}${ruleText(uses)}`,
  );
  assert.ok(cpuMs() - start < MOST_MS);
  assert.match(
    problemsOf(loaded).join('\n'),
    /too-large with macro 'm14' the condition has more than 200000 parts/,
  );
});

test('an exception with forty thousand values', () => {
  const values = numbers.map(path).join(', ');
  const exception = `  exceptions:\n    - name: e\n      fields: proc.exepath\n      values: [${values}]\n`;
  const set = loadedIn(ruleText('evt.type = execve', exception));
  assert.equal(countOf(set, runs(path(COUNT - 1))), 0);
  assert.equal(countOf(set, runs('/bin/sh')), 1);
});

test('patterns that are longer than one may be, together', () => {
  const patterns = numbers.slice(0, 2000).map((index) => `proc.exepath regex "${path(index)}/[a-z]+"`);
  const set = loadedIn(ruleText(patterns.join(' or ')));
  assert.equal(countOf(set, runs(`${path(1999)}/sh`)), 1);
  assert.equal(countOf(set, runs(`${path(2000)}/sh`)), 0);
});
