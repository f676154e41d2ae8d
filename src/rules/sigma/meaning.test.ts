/** Converted rules are true of the events of which the Sigma rules are true of their records: against a plain reading of Sigma. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { byteStringFromText } from '../../base/bytes.ts';
import { makeEvent, makeProcess } from '../testing.ts';
import { importOne, ruleSetOf } from './testing.ts';

/** A record as Sysmon writes it of a process that begins; undefined: it does not have the field. */
interface ProcessRecord {
  readonly Image: string | undefined;
  readonly CommandLine: string;
  readonly User: string | undefined;
  readonly ParentImage: string | undefined;
  readonly ProcessId: string;
}

type Detection = Readonly<Record<string, unknown>>;

// Few letters, so that much is equal; wildcards of Sigma and of globs, letters beyond ASCII, a name of a list, escapes.
const letters = [
  'a',
  'A',
  'b',
  '*',
  '?',
  '\\',
  '[',
  ']',
  '/',
  '-',
  ' ',
  'é',
  'É',
  '日',
  '"',
  "'",
  '=',
  ',',
  '(',
  '%',
];
const word = (maxLength: number) =>
  fc.array(fc.constantFrom(...letters), { minLength: 1, maxLength }).map((list) => list.join(''));
const plain = fc.oneof(
  word(4),
  fc.constantFrom('/bin/sh', '/tmp/é', 'root', 'sh -c a', 'x shells y', 'a/-b'),
);

const record: fc.Arbitrary<ProcessRecord> = fc.record({
  Image: fc.option(plain, { nil: undefined }),
  CommandLine: plain,
  User: fc.option(plain, { nil: undefined }),
  ParentImage: fc.option(plain, { nil: undefined }),
  ProcessId: fc.integer({ min: 1, max: 4 }).map(String),
});

const textField = fc.constantFrom('Image', 'CommandLine', 'User', 'ParentImage');
const textKey = fc
  .tuple(
    textField,
    fc.constantFrom('', '|contains', '|startswith', '|endswith'),
    fc.constantFrom('', '', '|all'),
    fc.constantFrom('', '', '|cased', '|neq'),
    fc.constantFrom('', '', '', '|windash'),
  )
  .map((parts) => parts.join(''));
const item = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(textKey, fc.oneof(plain, fc.array(plain, { minLength: 1, maxLength: 3 }))),
  },
  { weight: 1, arbitrary: fc.tuple(textField, fc.constantFrom(null, '')) },
  {
    weight: 1,
    arbitrary: fc.tuple(
      textField.map((name) => `${name}|exists`),
      fc.boolean(),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(
      fc.constantFrom('ProcessId', 'ProcessId|gt', 'ProcessId|lte'),
      fc.integer({ min: 0, max: 5 }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(
      textField.map((name) => `${name}|re`),
      fc.constantFrom('^a', 'b$', 'a.b', '[ab]+', '^.$'),
    ),
  },
);
const map = fc.array(item, { minLength: 1, maxLength: 3 }).map((entries) => Object.fromEntries(entries));
const selection = fc.oneof(map, map, fc.array(map, { minLength: 1, maxLength: 3 }));
const NAMES = ['sel_a', 'sel_b', 'filter', '_own'];
const selections = fc.tuple(selection, selection, selection, selection);

/** A condition, with what it comes to for truth values of the selections. */
interface Condition {
  readonly text: string;
  readonly holds: (truth: ReadonlyMap<string, boolean>) => boolean;
}
const atom: fc.Arbitrary<Condition> = fc.oneof(
  fc
    .constantFrom(...NAMES)
    .map((name): Condition => ({ text: name, holds: (truth) => truth.get(name) === true })),
  fc
    .tuple(fc.constantFrom('1', 'all'), fc.constantFrom('them', 'sel_*', '*_b', '_*'))
    .map(([quantifier, pattern]): Condition => {
      const named = NAMES.filter((name) => {
        if (pattern === 'them') return name !== '_own';
        return pattern === 'sel_*'
          ? name.startsWith('sel_')
          : pattern === '*_b'
            ? name === 'sel_b'
            : name === '_own';
      });
      return {
        text: `${quantifier} of ${pattern}`,
        holds: (truth) =>
          quantifier === '1'
            ? named.some((name) => truth.get(name) === true)
            : named.every((name) => truth.get(name) === true),
      };
    }),
);
const condition = fc.letrec<{ tree: Condition }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3 },
    atom,
    tie('tree').map((one): Condition => ({ text: `not (${one.text})`, holds: (truth) => !one.holds(truth) })),
    fc
      .tuple(tie('tree'), fc.constantFrom('and', 'or'), tie('tree'))
      .map(([left, operator, right]): Condition => ({
        text: `(${left.text}) ${operator} (${right.text})`,
        holds: (truth) =>
          operator === 'and'
            ? left.holds(truth) && right.holds(truth)
            : left.holds(truth) || right.holds(truth),
      })),
  ),
})).tree;

test('random rules on random records', () => {
  let trues = 0;
  let runs = 0;
  fc.assert(
    fc.property(
      selections,
      condition,
      fc.array(record, { minLength: 1, maxLength: 8 }),
      (values, { text, holds }, records) => {
        const detection = Object.fromEntries(NAMES.map((name, index) => [name, values[index]]));
        // JSON is YAML.
        const rule = importOne(
          JSON.stringify({
            title: 't',
            logsource: { category: 'process_creation', product: 'linux' },
            detection: { ...detection, condition: text },
          }),
        );
        const set = ruleSetOf(
          rule.yaml ?? assert.fail(rule.problems.map(({ message }) => message).join('; ')),
        );
        for (const one of records) {
          const truth = new Map(NAMES.map((name, index) => [name, isSelected(values[index], one)]));
          let count = 0;
          set.evaluate(eventOf(one), () => count++);
          runs++;
          trues += count;
          assert.equal(count === 1, holds(truth), rule.yaml ?? '');
        }
      },
    ),
    { numRuns: 600 },
  );
  assert.ok(trues > runs / 10 && trues < (runs * 9) / 10, `${trues} of ${runs} are true`);
});

function eventOf({ Image, CommandLine, User, ParentImage, ProcessId }: ProcessRecord) {
  const bytes = (text: string | undefined) => byteStringFromText(text ?? '');
  const parent = ParentImage === undefined ? null : makeProcess({ executable: bytes(ParentImage) });
  return makeEvent({
    process: makeProcess({
      parent,
      pid: Number(ProcessId),
      executable: bytes(Image),
      argv: [bytes(CommandLine)],
      userName: User ?? null,
    }),
  });
}

function isSelected(value: unknown, one: ProcessRecord): boolean {
  if (Array.isArray(value)) return value.some((part) => isSelected(part, one));
  return Object.entries(value as Detection).every(([key, wanted]) => isItem(key, wanted, one));
}

function isItem(key: string, wanted: unknown, one: ProcessRecord): boolean {
  const [name = '', ...modifiers] = key.split('|');
  const value = one[name as keyof ProcessRecord];
  const has = (modifier: string) => modifiers.includes(modifier);
  if (has('exists')) return wanted === (value !== undefined);
  if (wanted === null) return value === undefined;
  const list = (Array.isArray(wanted) ? wanted : [wanted]) as readonly (string | number)[];
  const holds = (text: string | number) => {
    if (value === undefined) return false;
    if (has('gt')) return Number(value) > Number(text);
    if (has('lte')) return Number(value) <= Number(text);
    if (has('re')) return new RegExp(String(text), 'u').test(value);
    const before = has('contains') || has('endswith') ? '[^]*' : '';
    const after = has('contains') || has('startswith') ? '[^]*' : '';
    const pattern = `^${before}${patternOf(String(text), has('windash'))}${after}$`;
    return new RegExp(pattern, has('cased') ? 'u' : 'iu').test(value);
  };
  const result = has('all') ? list.every(holds) : list.some(holds);
  return has('neq') ? !result : result;
}

/** As a regular expression: of each run of plain characters, dashes in front of words may be any. */
function patternOf(text: string, hasAnyDash: boolean): string {
  const tokens = text.match(/\\[*?\\]|[^]/gu) ?? [];
  let result = '';
  let run = '';
  const flush = () => {
    result += run
      .split(hasAnyDash ? /(\B[-/]\b)/ : /(?!)/)
      .map((piece, index) =>
        index % 2 === 1 ? '[\\-\\/–—―]' : piece.replace(/[\\^$.|?*+()[\]{}/]/g, '\\$&'),
      )
      .join('');
    run = '';
  };
  for (const token of tokens) {
    if (token !== '*' && token !== '?') {
      run += token.length === 2 && token.startsWith('\\') ? token.slice(1) : token;
      continue;
    }
    flush();
    result += token === '*' ? '[^]*' : '[^]';
  }
  flush();
  return result;
}
