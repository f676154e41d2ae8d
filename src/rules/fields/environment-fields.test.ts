import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Process } from '../../model/process.ts';
import type { RuleEvent } from '../event.ts';
import { parseFilter } from '../filter.ts';
import { interestOf } from '../interest.ts';
import { loadRules } from '../load/load-rules.ts';
import { RuleSource } from '../text.ts';

const withVariables = (variables: readonly string[], parent: Process | null = null): Process =>
  ({ environment: { variables, isCut: false }, parent }) as unknown as Process;

const GRANDPARENT = withVariables(['LD_PRELOAD=/tmp/x.so', 'LEVEL=2']);
const PARENT = withVariables(['LEVEL=1'], GRANDPARENT);
const PROCESS = withVariables(['LEVEL=0', 'EMPTY=', 'EQUALS=a=b'], PARENT);
const UNASKED = { parent: null } as unknown as Process;

function isTrue(condition: string, process: Process | null = PROCESS): boolean {
  const filter = parseFilter(condition);
  assert.ok(filter.isValid);
  return filter.matches({ process } as RuleEvent);
}

test('a variable of the process, and of the nearest ancestor that has it', () => {
  assert.ok(isTrue('proc.env[LEVEL] = 0'));
  assert.ok(isTrue('proc.env[EQUALS] = "a=b"'));
  assert.ok(isTrue('proc.env[EMPTY] exists and proc.env[EMPTY] = ""'));
  assert.ok(isTrue('proc.aenv[LEVEL] = 1'));
  assert.ok(isTrue('proc.aenv[LD_PRELOAD] startswith /tmp/'));
});

test('one that is not set has no value, nor has one that nobody asked for', () => {
  for (const condition of [
    'proc.env[LD_PRELOAD] exists',
    'proc.env[LEV] exists',
    'proc.env[LEVEL] != 0',
    'proc.aenv[EMPTY] exists',
  ])
    assert.equal(isTrue(condition), false, condition);
  assert.equal(isTrue('proc.env[LEVEL] exists', UNASKED), false);
  assert.equal(isTrue('proc.env[LEVEL] exists', null), false);
});

test('without a name they are all that is known, which is a warning', () => {
  for (const field of ['proc.env', 'proc.aenv', 'proc.aenv[2]']) {
    const filter = parseFilter(`${field} contains LD_PRELOAD`);
    assert.ok(filter.isValid);
    assert.match(filter.warnings.map(({ message }) => message).join(), /asks for by name$/);
    const text = `- rule: r\n  desc: d\n  condition: evt.type = execve and ${field} contains X\n  output: o\n  priority: NOTICE\n`;
    const [file] = loadRules([new RuleSource('a', text)], { isStrict: true }).files;
    assert.deepEqual(
      file?.errors.map(({ code }) => code),
      ['partly-answered'],
    );
  }
  assert.ok(isTrue('proc.env = "LEVEL=0 EMPTY= EQUALS=a=b"'));
  assert.ok(isTrue('proc.aenv contains LD_PRELOAD and proc.aenv contains "LEVEL=1"'));
  assert.ok(
    isTrue(
      'proc.aenv[2] startswith LD_PRELOAD and proc.aenv[1] = "LEVEL=1" and proc.aenv[0] contains EQUALS',
    ),
  );
  for (const condition of ['proc.aenv contains EQUALS', 'proc.aenv[3] exists', 'proc.aenv[25] exists'])
    assert.equal(isTrue(condition), false, condition);
  assert.equal(isTrue('proc.env exists or proc.aenv exists', UNASKED), false);
  assert.equal(isTrue('proc.env exists or proc.aenv exists', null), false);
});

test('rules that name variables have them captured: of conditions, outputs and transformers', () => {
  const text = `- rule: a
  desc: d
  condition: evt.type = execve and (proc.env[A] exists or tolower(proc.aenv[B]) = x or proc.name = val(proc.env[C_D]) or proc.aenv.F = x)
  output: "%proc.env[E]"
  priority: NOTICE
`;
  const { rules, files } = loadRules([new RuleSource('a.yaml', text)], { isStrict: true });
  assert.deepEqual(files[0]?.errors, []);
  assert.deepEqual([...interestOf(rules).environment].toSorted(), ['A', 'B', 'C_D', 'E', 'F']);
});

test('the number of an ancestor is no name; what all of an environment is looked through for is one', () => {
  const asked = (condition: string) => {
    const filter = parseFilter(condition);
    assert.ok(filter.isValid);
    return [...filter.variables];
  };
  assert.deepEqual(asked('proc.aenv[2] exists or proc.env[2] exists or proc.aenv[A1] exists'), ['2', 'A1']);
  assert.deepEqual(asked('proc.env contains LD_PRELOAD or not proc.aenv[3] contains "LD_AUDIT=/tmp"'), [
    'LD_PRELOAD',
    'LD_AUDIT',
  ]);
  assert.deepEqual(asked('proc.env icontains Http_proxy'), ['Http_proxy', 'HTTP_PROXY', 'http_proxy']);
  assert.deepEqual(asked('proc.env contains "a b" or proc.env[X] contains Y or proc.env exists'), ['X']);
});
