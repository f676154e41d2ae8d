import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { MAX_DEPTH, parseCondition } from './parser.ts';
import { RuleError } from './problem.ts';
import type { Expression, Operand, Term } from './syntax.ts';
import { RuleSource, RuleText } from './text.ts';

function textOf(text: string): RuleText {
  const offsets = Int32Array.from({ length: text.length }, (_, index) => index);
  return RuleText.of(text, new RuleSource('t', text), offsets);
}

/** The tree with parentheses around everything. */
function shown(condition: string): string {
  return show(parseCondition(textOf(condition)));
}

function show(node: Expression): string {
  switch (node.kind) {
    case 'macro':
      return node.name;
    case 'not':
      return `!${show(node.child)}`;
    case 'and':
    case 'or':
      return `(${node.children.map(show).join(node.kind === 'and' ? ' & ' : ' | ')})`;
    case 'check': {
      const words = [node.operator, node.modifier, showRight(node.right)].filter((word) => word !== null);
      return `${showTerm(node.left)} ${words.join(' ')}`;
    }
  }
}

function showTerm(term: Term): string {
  if (term.kind === 'field') return term.argument === null ? term.name : `${term.name}[${term.argument}]`;
  const parts = term.arguments.map((part) =>
    part.kind === 'literal' ? JSON.stringify(part.value) : showTerm(part),
  );
  return `${term.name}(${parts.join(',')})${term.selector === null ? '' : `[${term.selector}]`}`;
}

function showRight(right: Operand | null): string | null {
  if (right === null) return null;
  if (right.kind === 'literal') return JSON.stringify(right.value);
  if (right.kind === 'term') return `val ${showTerm(right.term)}`;
  return `[${right.values.map(({ value }) => JSON.stringify(value)).join(',')}]`;
}

function errorOf(condition: string): string {
  try {
    parseCondition(textOf(condition));
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    const { line, column, message, text } = error.problem;
    return `${line}:${column} ${message} | ${text}`;
  }
  throw new Error(`'${condition}' is right`);
}

test('not binds tighter than and, and than or', () => {
  assert.equal(shown('a or b and not c or d'), '(a | (b & !c) | d)');
  assert.equal(shown('(a or b) and not (c or d)'), '((a | b) & !(c | d))');
  assert.equal(shown('not a and b'), '(!a & b)');
  assert.equal(shown('a and(b or(c))and not(d)'), '(a & (b | c) & !d)');
});

test('an even number of nots is none', () => {
  assert.equal(shown('not not a'), 'a');
  assert.equal(shown('not not not a'), '!a');
  assert.equal(shown('not (not (not a))'), '!a');
});

test('junctions of one kind are one, so that long conditions are not deep', () => {
  assert.equal(shown('a and (b and (c and d))'), '(a & b & c & d)');
  assert.equal(parseCondition(textOf('a or (b or (c))')).depth, 2);
});

test('operators of every kind, with and without blanks', () => {
  assert.equal(shown('a.b=c and a.b == d and a.b!=e'), '(a.b = "c" & a.b == "d" & a.b != "e")');
  assert.equal(shown('a.b>=0x1F and a.b<-2 and a.b<= 1e+3'), '(a.b >= "0x1F" & a.b < "-2" & a.b <= "1e+3")');
  assert.equal(
    shown('a.b exists and a.b in(x,y) and a.b pmatch ( /etc , /var )'),
    ['(a.b exists & a.b in ["x","y"] & a.b pmatch ["/etc","/var"])'].join(''),
  );
  assert.equal(shown('a.b contains "x y" or a.b glob /a/*'), '(a.b contains "x y" | a.b glob "/a/*")');
  assert.equal(shown('a.b in ()'), 'a.b in []');
});

test('strings: bare ones end at a delimiter, quoted ones have escapes', () => {
  assert.equal(shown('a.b=runc:[0:PARENT]'), 'a.b = "runc:[0:PARENT]"');
  assert.equal(shown(`a.b='say "x"'`), JSON.stringify('say "x"').replace(/^/, 'a.b = '));
  assert.equal(shown(String.raw`a.b="a\"b\\c\n\x41\/"`), `a.b = ${JSON.stringify('a"b\\c\nA/')}`);
  assert.equal(shown(String.raw`a.b="it\ is"`), `a.b = ${JSON.stringify('it\\is')}`);
});

test('strings are bytes: text is UTF-8, an escaped byte is that byte', () => {
  assert.equal(shown('a.b=é'), `a.b = ${JSON.stringify('\xc3\xa9')}`);
  assert.equal(shown(String.raw`a.b="\xff€"`), `a.b = ${JSON.stringify('\xff\xe2\x82\xac')}`);
});

test('arguments of fields, bare and quoted', () => {
  assert.equal(shown('a.b[2]=x'), 'a.b[2] = "x"');
  assert.equal(shown(`a.b["x]y"] exists`), 'a.b[x]y] exists');
});

test('fields and transformers on either side', () => {
  assert.equal(shown('a.b=val(c.d[1])'), 'a.b = val c.d[1]');
  assert.equal(shown('tolower(a.b) in (x)'), 'tolower(a.b) in ["x"]');
  assert.equal(shown('a.b startswith toupper( basename(c.d) )'), 'a.b startswith val toupper(basename(c.d))');
  assert.equal(shown('join(a.b, ", ") = x'), 'join(a.b,", ") = "x"');
  assert.equal(shown('getopt(a.b, "nt:")[t] = x'), 'getopt(a.b,"nt:")[t] = "x"');
  assert.equal(shown('concat(a.b, ":", c.d) = x'), 'concat(a.b,":",c.d) = "x"');
});

test('oneof, anyof and allof stand in front of a list only', () => {
  assert.equal(shown('a.b startswith anyof (x, y)'), 'a.b startswith anyof ["x","y"]');
  assert.equal(shown('a.b = oneof'), 'a.b = "oneof"');
  assert.equal(shown('a.b != allof(x)'), 'a.b != allof ["x"]');
});

test('mistakes are told with their place', () => {
  assert.equal(errorOf(''), "1:1 expected a field, a macro or '(' | ");
  assert.equal(errorOf('a.b =\n  '), "2:3 expected a value after '=' | ");
  assert.match(errorOf('a.b\nlike x'), /^2:1 expected an operator: exists, <=.* \| like$/);
  assert.equal(errorOf('(a or b'), "1:1 this '(' is never closed | (");
  assert.equal(errorOf('a) or b'), "1:2 this ')' closes nothing | )");
  assert.equal(errorOf('a b'), "1:3 expected 'and', 'or' or the end | b");
  assert.equal(errorOf('name=x'), "1:1 'name' is no field: the name of a field has a dot | name");
  assert.equal(errorOf('a.b in shells'), "1:8 there is no list named 'shells' | shells");
  assert.equal(errorOf('a.b in (x'), "1:10 expected ',' or ')' in the list | ");
  assert.equal(errorOf('a.b < x'), "1:7 expected a number after '<' | x");
  assert.equal(errorOf(`a.b = "x`), '1:7 the string has no closing " | "x');
  assert.match(errorOf(String.raw`a.b = "\q"`), /^1:8 unknown escape sequence/);
  assert.equal(errorOf('a.b[1 = x'), "1:6 expected ']' after the argument of a.b | ");
  assert.equal(errorOf('a or'), "1:5 expected a field, a macro or '(' | ");
});

test('nesting to 1,000, and no further', () => {
  const nested = (depth: number) => '('.repeat(depth) + 'a' + ')'.repeat(depth);
  assert.equal(shown(nested(MAX_DEPTH)), 'a');
  assert.match(errorOf(nested(MAX_DEPTH + 1)), /nested deeper than 1000/);
  assert.match(errorOf(nested(200_000)), /nested deeper than 1000/);
  const alternating = (depth: number) => 'a and (b or ('.repeat(depth) + 'c' + '))'.repeat(depth);
  assert.equal(parseCondition(textOf(alternating(499))).depth, 999);
  assert.match(errorOf(alternating(20_000)), /nested deeper than 1000/);
  assert.match(errorOf(`${'tolower('.repeat(5000)}a.b`), /transformers are nested deeper/);
  assert.equal(shown(`${'not '.repeat(10_000)}a`), 'a');
});

test('whatever it is, it is read or refused', () => {
  const word = fc.constantFrom(
    ...'a.b proc.name = != < in ( ) , " \' \\ not and or exists val( tolower( [ ] 1 x glob anyof \n'.split(
      ' ',
    ),
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(word, fc.string({ maxLength: 3 }))), (words) => {
      try {
        parseCondition(textOf(words.join(' ')));
      } catch (error) {
        assert.ok(error instanceof RuleError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});
