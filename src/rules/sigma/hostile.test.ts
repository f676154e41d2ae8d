/** Files of an attacker: nothing throws, nothing takes long, and what comes out is a rule file that is right. */
import { strict as assert } from 'node:assert';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { load, problemsOf } from '../testing.ts';
import { RuleSource } from '../text.ts';
import { importSigma } from './convert.ts';
import { sigmaText } from './testing.ts';

/** Far more than it takes, on a busy machine; what multiplies would take minutes. */
const MAX_MS = 15_000;

/** Converts, within its time, to what our loader takes. */
function convert(text: string) {
  const begun = performance.now();
  const result = importSigma([new RuleSource('a.yml', text)]);
  const took = performance.now() - begun;
  assert.ok(took < MAX_MS, `${took} ms`);
  if (result.yaml !== '') assert.deepEqual(problemsOf(load(result.yaml)), [], result.yaml);
  for (const { yaml, problems } of result.rules) assert.equal(yaml === null, problems.length > 0);
  return result;
}

const reasons = (text: string) =>
  convert(text).rules.flatMap(({ problems }) => problems.map(({ code }) => code));

suite('what multiplies or nests', () => {
  test('lists of lists of aliases', () => {
    const lines = ['a: &a [x, x, x, x, x, x, x, x, x]'];
    for (let level = 1; level < 12; level++) {
      const before = String.fromCharCode(96 + level);
      const name = String.fromCharCode(97 + level);
      lines.push(`${name}: &${name} [${Array.from({ length: 9 }, () => `*${before}`).join(', ')}]`);
    }
    assert.deepEqual(reasons(lines.join('\n')), ['too-large']);
  });

  test('an alias to what it stands in, and to nothing', () => {
    assert.deepEqual(reasons('a: &a [*a]'), ['too-large']);
    assert.deepEqual(reasons('a: &a {b: *a}'), ['too-large']);
    assert.deepEqual(reasons('a: *b'), ['yaml']);
  });

  test('collections in collections, parentheses in parentheses', () => {
    assert.deepEqual(reasons(`a: ${'['.repeat(50_000)}`), ['yaml']);
    assert.deepEqual(reasons(`a: ${'['.repeat(200)}${']'.repeat(200)}`), ['too-large']);
    const nested = `s: {Image: a}\ncondition: ${'('.repeat(5000)}s${')'.repeat(5000)}`;
    assert.deepEqual(reasons(sigmaText(nested)), ['condition']);
    assert.equal(
      convert(sigmaText(`s: {Image: a}\ncondition: ${'not '.repeat(4000)}s`)).rules[0]?.problems.length,
      0,
    );
  });

  test('large files, values, lists and numbers of documents, keys, selections', () => {
    assert.deepEqual(reasons('a'.repeat((2 << 20) + 1)), ['too-large']);
    assert.equal(reasons('a: b\n---\n'.repeat(11_000)).at(-1), 'too-large');
    const keys = Array.from({ length: 20_000 }, (_, index) => `k${index}: 1`).join(', ');
    assert.ok(reasons(sigmaText(`s: {${keys}}`)).every((code) => code === 'field'));
    const words = Array.from({ length: 10_000 }, (_, index) => `w${index}`).join(', ');
    convert(sigmaText(`s: {CommandLine|contains: [${words}]}`));
    convert(sigmaText(`s: {CommandLine|contains: [${words}]}\ncondition: ${'1 of them and '.repeat(1000)}s`));
    convert(sigmaText(`s: {CommandLine: '${'a*?'.repeat(20_000)}'}`));
    convert(sigmaText(`s: {CommandLine|windash: '${'-a '.repeat(20_000)}'}`));
    convert(sigmaText(`s: {CommandLine|base64offset|contains: '${'a'.repeat(200_000)}'}`));
    const many = Array.from({ length: 5000 }, (_, index) => `s${index}: {Image: a${index}}`).join('\n');
    convert(sigmaText(`${many}\ncondition: ${'1 of s*9 or '.repeat(1000)}s1`));
    convert(sigmaText(`s: {Image: a}\ncondition: 1 of ${'s*'.repeat(5000)}`));
  });

  test('regular expressions that others take exponential time for, and that are large when they are written out', () => {
    convert(sigmaText("s: {CommandLine|re: '(a+)+(a+)+(a+)+$'}"));
    convert(sigmaText("s: {CommandLine|re: '((a{1,100}){1,100}){1,100}'}"));
    assert.deepEqual(reasons(sigmaText(`s: {CommandLine|re: '${'('.repeat(9000)}'}`)), ['pattern']);
  });
});

test('names that every object of JavaScript has are names like any other', () => {
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    assert.deepEqual(reasons(sigmaText(`s: {${name}: a}`)), ['field'], name);
    assert.deepEqual(reasons(sigmaText(`s: {Image|${name}: a}`)), ['modifier'], name);
    assert.deepEqual(reasons(sigmaText(`s: {Image|re|${name}: a}`)), ['modifier'], name);
    assert.deepEqual(reasons(sigmaText('s: {Image: a}', `category: ${name}`)), ['source'], name);
    assert.deepEqual(reasons(sigmaText(`s: {type: ${name}}`, 'service: auditd')), ['source'], name);
    assert.deepEqual(
      reasons(sigmaText(`s: {Initiated: ${name}}`, 'category: network_connection')),
      ['value'],
      name,
    );
    assert.deepEqual(reasons(sigmaText(`s: {Image: a}\ncondition: ${name}`)), ['condition'], name);
    assert.deepEqual(reasons(sigmaText(`${name}: {Image: a}\ncondition: ${name}`)), [], name);
    assert.deepEqual(
      reasons(`${sigmaText('s: {Image: a}')}\nlevel: ${name}\nstatus: ${name}\ntags: [${name}]`),
      [],
    );
  }
});

test('texts cannot leave the place that they are written to', () => {
  const evil = [
    '"\n- rule: evil',
    "' or evt.type exists or '",
    '\\" or evt.type = openat or "\\',
    '# x\r\n- list: a',
    '%proc.nmae %%x %',
    '\u2028- rule: x\u0085- rule: y',
    '\ud800\udfff\ufffe',
    '*/\x1b[2J\x07',
    'a'.repeat(10_000),
    '\u3164\u202e',
  ];
  for (const text of evil) {
    const rule = {
      title: text,
      id: text,
      author: text,
      description: text,
      references: [text],
      tags: [text, `attack.${text}`],
      level: text,
      status: 'test',
      logsource: { product: 'linux', category: 'process_creation' },
      detection: {
        s: {
          Image: text,
          'CommandLine|contains': [text, 'b'],
          'User|cased': text,
          'Image|base64': text.replace(/[*?\\]/g, 'x'),
        },
        condition: 's',
      },
    };
    const { yaml, rules } = convert(JSON.stringify(rule));
    assert.equal(rules.length, 1);
    assert.deepEqual(rules[0]?.problems, [], text);
    const [loaded, ...others] = load(yaml).rules;
    assert.equal(others.length, 0);
    assert.equal([...(loaded?.types ?? [])].length, 2, 'execve and execveat');
    assert.doesNotMatch(yaml, /[^\n\x20-\x7e\p{L}\p{N}…\ufffd]/u);
  }
});

const sample = [
  sigmaText(
    's: &a {Image|endswith|all: [/a, "*b?"], CommandLine|re|i: "^x.*"}\nt: [k, *a]\ncondition: 1 of s* and not t',
  ),
  sigmaText(
    "s: {Initiated: 'true', DestinationIp|cidr: 10.0.0.0/8}",
    'category: network_connection, product: linux',
  ),
  'title: x\ndescription: >\n  a\n  b\ncorrelation:\n  type: event_count',
].join('\n---\n');

test('random changes to rules', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 6 }),
    fc.constantFrom(
      '\n',
      ': ',
      '- ',
      '{',
      '}',
      '[',
      ']',
      '*a',
      '&a',
      '|',
      '>',
      '"',
      "'",
      '---\n',
      '\t',
      '!!map',
      '? ',
      '<<: *a',
      '%',
      'null',
      '~',
    ),
  );
  const edit = fc.record({ at: fc.nat(sample.length), removed: fc.nat(12), text: piece });
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 6 }), (edits) => {
      let text = sample;
      for (const { at, removed, text: inserted } of edits)
        text = text.slice(0, at) + inserted + text.slice(at + removed);
      convert(text);
    }),
    { numRuns: 500 },
  );
});

test('random values of any shape where a rule has its own', () => {
  const any = fc.anything({
    withNullPrototype: false,
    maxDepth: 3,
    key: fc.constantFrom('s', 'condition', 'Image', 'User|all', '|all', 'product'),
  });
  const shape = fc.record(
    { title: any, logsource: any, detection: any, tags: any, references: any, level: any },
    { requiredKeys: [] },
  );
  const detection = fc.dictionary(fc.constantFrom('s', 't', 'condition', 'timeframe'), any);
  fc.assert(
    fc.property(shape, detection, (rule, own) => {
      convert(JSON.stringify(rule));
      convert(
        JSON.stringify({
          title: 't',
          logsource: { category: 'process_creation' },
          detection: { condition: '1 of them', ...own },
        }),
      );
    }),
    { numRuns: 500 },
  );
});
