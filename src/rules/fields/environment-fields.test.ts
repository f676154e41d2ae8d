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

test('without a name they have no value, which is a warning', () => {
  for (const field of ['proc.env', 'proc.aenv', 'proc.aenv[2]']) {
    const filter = parseFilter(`${field} contains LD_PRELOAD`);
    assert.ok(filter.isValid);
    assert.match(filter.warnings.map(({ message }) => message).join(), /asked for by name/);
  }
});

test('rules that name variables have them captured: of conditions, outputs and transformers', () => {
  const text = `- rule: a
  desc: d
  condition: evt.type = execve and (proc.env[A] exists or tolower(proc.aenv[B]) = x or proc.name = val(proc.env[C_D]))
  output: "%proc.env[E]"
  priority: NOTICE
`;
  const { rules, files } = loadRules([new RuleSource('a.yaml', text)], { isStrict: true });
  assert.deepEqual(files[0]?.errors, []);
  assert.deepEqual([...interestOf(rules).environment].toSorted(), ['A', 'B', 'C_D', 'E']);
});
