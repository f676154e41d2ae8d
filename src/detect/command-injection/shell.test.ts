import appsec from '@datadog/native-appsec';
import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { fastestMs } from '../testing.ts';
import { scanShell, type ShellDialect } from './shell.ts';

/** Marks as text: kind and what they stand on. */
function marks(text: string, dialect: ShellDialect = 'posix'): string[] {
  return scanShell(text, dialect)
    .marks.map((mark) => ({ mark, text: text.slice(mark.start, mark.end) }))
    .toSorted((one, other) => one.mark.start - other.mark.start)
    .map(({ mark, text: shown }) => `${mark.kind} ${shown.replace('\n', '\\n')}`);
}

const LINES: readonly (readonly [line: string, marks: readonly string[], dialect?: ShellDialect])[] = [
  ['ls -l /tmp', ['command ls']],
  ['  ls', ['command ls']],
  ['a; b', ['command a', 'separator ;', 'command b']],
  ['a && b || c', ['command a', 'separator &&', 'command b', 'separator ||', 'command c']],
  ['a | b & c', ['command a', 'separator |', 'command b', 'separator &', 'command c']],
  ['a\nb', ['command a', 'separator \\n', 'command b']],
  ['a \\\n b', ['command a']],
  ["a 'b; c' d", ['command a']],
  ["a 'b'\\''; c'", ['command a']],
  ['a "b; c"', ['command a']],
  ['a "b \\" ; c"', ['command a']],
  ['a b\\;c', ['command a']],
  ['a "$(b c)"', ['command a', 'substitution $(', 'command b']],
  ['a "`b c`"', ['command a', 'substitution `', 'command b']],
  ["a '$(b)'", ['command a']],
  ['a \\$\\(b\\)', ['command a']],
  ['a $((1 + 2)) b', ['command a']],
  ['a $((1 + $(b)))', ['command a', 'substitution $(', 'command b']],
  [
    'a $(( b ) ; c )',
    ['command a', 'substitution $(', 'separator (', 'command b', 'separator ;', 'command c'],
  ],
  ['a ${b} c', ['command a']],
  ['a ${b:-$(c)}', ['command a', 'substitution $(', 'command c']],
  ['a > b', ['command a', 'redirection >']],
  ['a 2>&1', ['command a', 'redirection 2>&']],
  ['a >> b < c', ['command a', 'redirection >>', 'redirection <']],
  ['> b a', ['redirection >', 'command a']],
  ['A=b c d', ['command c']],
  ['A=$(b)', ['substitution $(', 'command b']],
  ['a # b; c', ['command a']],
  ['a#b; c', ['command a#b', 'separator ;', 'command c']],
  [
    'if a; then b; else c; fi',
    ['command a', 'separator ;', 'command b', 'separator ;', 'command c', 'separator ;'],
  ],
  ['for a in b c; do d; done', ['command for', 'separator ;', 'command d', 'separator ;']],
  ['while a; do b; done', ['command a', 'separator ;', 'command b', 'separator ;']],
  ['(a; b)', ['separator (', 'command a', 'separator ;', 'command b']],
  ['{ a; }', ['command a', 'separator ;']],
  ['! a', ['command a']],
  ['A=b then c', ['command then']],
  ['cat <<E\na; b\nE\nc', ['command cat', 'redirection <<', 'separator \\n', 'separator \\n', 'command c']],
  ['cat <<E\n$(b)\nE', ['command cat', 'redirection <<', 'separator \\n', 'substitution $(', 'command b']],
  ["cat <<'E'\n$(b)\nE", ['command cat', 'redirection <<', 'separator \\n']],
  ["a $'b\\'; c'", ['command a'], 'extended'],
  ["a $'b\\'; c'", ['command a', 'separator ;', "command c'"], 'posix'],
  ['a <(b)', ['command a', 'substitution <(', 'command b'], 'extended'],
  ['a <<< "b; c"', ['command a', 'redirection <<<'], 'extended'],
  ['[[ a && b ]] && c', ['command [[', 'separator &&', 'command c'], 'extended'],
  ['a &> b', ['command a', 'redirection &>'], 'extended'],
  ['A=(b c) d', ['command d'], 'extended'],
];

for (const [line, expected, dialect] of LINES) {
  test(`marks of ${JSON.stringify(line)} (${dialect ?? 'posix'})`, () => {
    assert.deepEqual(marks(line, dialect), expected);
  });
}

/** What shells refuse, and where; null: they take it. Checked against dash 0.5.12 and bash 5.2. */
const REFUSED: readonly (readonly [line: string, from: number | null, dialect?: ShellDialect])[] = [
  ["a 'b'; c'", 0],
  ["a\nb 'c", 2],
  ['a "b', 0],
  ['a $(b', 0],
  ['a `b', 0],
  ['a ${b', 0],
  ['a;; b', 0],
  ['; a', 0],
  ['a; ; b', 0],
  ['a & ; b', 0],
  ['a | | b', 0],
  ['a &&', 0],
  ['a >', 0],
  ['a > ; b', 0],
  ['a)', 0],
  ['a(b)', 0],
  ['a; then b', 0],
  ['a; do b', 0],
  ['a; done', 0],
  ['if a; then b', 0],
  ['(a; b', 0],
  ['{ a;', 0],
  ['a &\nb', null],
  ['a &&\nb', null],
  ['a;', null],
  ['f() { a; }; f', null],
  ['case a in b|c) d;; (e) f;; esac', null],
  ['echo $(case a in b) c;; esac)', null],
  ['while a; do b; done; c', null],
  ['if a\nthen b\nfi', null],
  ['for ((a = 0; a < 3; a++)); do b; done', null, 'extended'],
  ['function f { a; }; f', null, 'extended'],
  ['a > b 2>&1 &', null],
];

for (const [line, from, dialect] of REFUSED) {
  test(`${from === null ? 'accepts' : 'refuses'} ${JSON.stringify(line)}`, () => {
    const scan = scanShell(line, dialect ?? 'posix');
    assert.equal(scan.problem === null ? null : scan.rejectedFrom, from, scan.problem ?? '');
  });
}

const ACTIVE = [
  "'",
  '"',
  '\\',
  ';',
  '$(',
  '${',
  '$((',
  ')',
  '}',
  '`',
  '\n',
  '<<E\n',
  'case ',
  '[[',
  '((',
  'a',
  ' ',
  '|',
  '&',
  '>',
];
const hostile = fc.oneof(
  fc.array(fc.constantFrom(...ACTIVE), { maxLength: 60 }).map((pieces) => pieces.join('')),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
);

test('any bytes: never throws, marks lie inside the text', () => {
  fc.assert(
    fc.property(hostile, fc.constantFrom<ShellDialect>('posix', 'extended'), (text, dialect) => {
      const scan = scanShell(text, dialect);
      for (const mark of scan.marks) {
        assert.ok(mark.start >= 0 && mark.start <= mark.end && mark.end <= text.length + 1);
      }
      assert.ok(scan.rejectedFrom <= text.length);
    }),
    { numRuns: 3000 },
  );
});

test('quoting as applications do it leaves one mark', () => {
  fc.assert(
    fc.property(hostile, (value) => {
      if (value.includes('\0')) return;
      const quoted = `'${value.replaceAll("'", "'\\''")}'`;
      for (const dialect of ['posix', 'extended'] as const) {
        const scan = scanShell(`a ${quoted} b`, dialect);
        assert.equal(scan.marks.length, 1);
        assert.equal(scan.problem, null);
      }
    }),
    { numRuns: 2000 },
  );
});

test('linear time on 32 KiB of each active sequence', () => {
  for (const piece of [...ACTIVE, '$((a', '`$(', '"$(', '${a:-', 'a;', 'A=', '<<a\n', 'if ', '\\', '(']) {
    const text = piece.repeat(Math.ceil(32_768 / piece.length));
    const took = fastestMs(() => void scanShell(text, 'extended'));
    assert.ok(took < 60, `${JSON.stringify(piece)} took ${took.toFixed(1)} ms`);
  }
});

interface Waf {
  createContext(): { run(payload: object, timeoutUs: number): { status?: string }; dispose(): void };
}

/** libddwaf's shell tokenizer, an independent implementation, as a second opinion on what is active. */
function openWaf(): Waf {
  const condition = {
    operator: 'shi_detector',
    parameters: {
      resource: [{ address: 'server.sys.shell.cmd' }],
      params: [{ address: 'server.request.query' }],
    },
  };
  const rule = { id: 'r', name: 'r', tags: { type: 'command_injection' }, conditions: [condition] };
  return new appsec.DDWAF({ version: '2.2', rules: [rule] }, 'rules');
}

const OPINIONS: readonly (readonly [before: string, value: string, after: string, isActive: boolean])[] = [
  ['ping ', 'a;id', '', true],
  ['ping ', 'a|id', '', true],
  ['ping ', 'a\nid', '', true],
  ['ping ', '$(id)', '', true],
  ['ping ', '`id`', '', true],
  ['ping "', '$(id)', '"', true],
  ["ping '", "';id;'", "'", true],
  ['ping ', 'a > /tmp/x', '', true],
  ["ping '", 'a;id', "'", false],
  ['ping "', 'a;id', '"', false],
  ["ping '", '$(id)', "'", false],
  ['ping ', 'example.com', ' -c 1', false],
  ['ls -l ', '/srv/files', '; date', false],
];

test('libddwaf agrees on what is active', () => {
  const waf = openWaf();
  for (const [before, value, after, isActive] of OPINIONS) {
    const text = before + value + after;
    const context = waf.createContext();
    const result = context.run(
      { persistent: { 'server.request.query': { q: value }, 'server.sys.shell.cmd': text } },
      1_000_000,
    );
    context.dispose();
    const inside = scanShell(text, 'posix').marks.some(
      (mark) => mark.start >= before.length && mark.end <= before.length + value.length,
    );
    assert.equal(inside, isActive, text);
    assert.equal(result.status === 'match', isActive, `libddwaf: ${text}`);
  }
});
