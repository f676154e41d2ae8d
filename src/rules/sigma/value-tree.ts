import { SYSCALLS } from '../../model/syscalls.ts';
import { eventTypeOf } from '../event-types.ts';
import { parseAddress } from '../match/address.ts';
import { parseNetwork } from '../match/network.ts';
import type { FieldMapping } from './fields.ts';
import type { ItemKey } from './modifiers.ts';
import { parsePattern, plainText } from './pattern.ts';
import { shown, SigmaError } from './problem.ts';
import { argumentChecksOf, checksOf, joinChecks } from './text-checks.ts';
import { check, join, type Tree } from './tree.ts';
import { quoted } from './words.ts';
import type { ScalarValue } from './yaml-value.ts';

/** A field compared with values that are there, by the kind of the field. @throws SigmaError */
export function valuesTree(
  key: ItemKey,
  mapping: FieldMapping,
  values: readonly ScalarValue[],
  line: number,
): Tree {
  const kind = key.isAll ? 'and' : 'or';
  switch (mapping.kind) {
    case 'text':
    case 'directory': {
      if (!['equals', 'contains', 'startswith', 'endswith', 're'].includes(key.comparison))
        throw unsupported(key, line);
      const checks = values.map((value) => checksOf(key, value, mapping.kind === 'directory'));
      if (kind === 'or' || checks.every(({ length }) => length === 1))
        return joinChecks(mapping.field, checks.flat(), kind);
      return join(
        'and',
        checks.map((one) => joinChecks(mapping.field, one, 'or')),
      );
    }
    case 'argument': {
      if (!['equals', 'contains', 'startswith', 'endswith'].includes(key.comparison))
        throw unsupported(key, line);
      const checks = values.map((value) => argumentChecksOf(key, value, mapping.index));
      return join(
        kind,
        checks.map((one) => joinChecks('proc.exeline', one, 'or')),
      );
    }
    case 'number':
      return numberTree(key, mapping.field, values, line);
    case 'address':
      return join(
        kind,
        values.map((value) => addressTree(key, mapping, value)),
      );
    case 'list': {
      const words = values.map((value) => quoted(wordOf(key, value, line)));
      if (kind === 'or') return check(`${mapping.field} intersects (${words.join(', ')})`);
      return join(
        'and',
        words.map((word) => check(`${mapping.field} intersects (${word})`)),
      );
    }
    case 'choice':
      return join(
        kind,
        values.map((value) => choiceTree(key, mapping.values, value)),
      );
    case 'syscall':
      return join(
        kind,
        values.map((value) => syscallTree(key, value)),
      );
    case 'untold':
      throw unsupported(key, line);
  }
}

const SYSCALL_NAMES = Object.entries(SYSCALLS);
const SIGNS = { lt: '<', lte: '<=', gt: '>', gte: '>=' } as const;

function numberTree(key: ItemKey, field: string, values: readonly ScalarValue[], line: number): Tree {
  for (const { text, line: at } of values)
    if (!/^-?\d{1,15}$/.test(text)) throw new SigmaError('value', `${shown(text)} is no whole number`, at);
  const numbers = values.map(({ text }) => String(Number(text)));
  const { comparison } = key;
  if (comparison === 'lt' || comparison === 'lte' || comparison === 'gt' || comparison === 'gte')
    return join(
      key.isAll ? 'and' : 'or',
      numbers.map((one) => check(`${field} ${SIGNS[comparison]} ${one}`)),
    );
  if (comparison !== 'equals') throw unsupported(key, line);
  const [only = ''] = numbers;
  if (numbers.length === 1) return check(`${field} = ${only}`);
  if (!key.isAll) return check(`${field} in (${numbers.join(', ')})`);
  return join(
    'and',
    numbers.map((one) => check(`${field} = ${one}`)),
  );
}

type AddressMapping = Extract<FieldMapping, { kind: 'address' }>;

function addressTree(key: ItemKey, { field, network }: AddressMapping, value: ScalarValue): Tree {
  const { text, line } = value;
  if (key.comparison === 'cidr') {
    if (parseNetwork(text) === null) throw new SigmaError('value', `${shown(text)} is no network`, line);
    return check(`${network} = ${quoted(text)}`);
  }
  if (key.comparison === 'equals' && parseAddress(text) !== null) return check(`${field} = ${quoted(text)}`);
  // "10.1." and "10.1.*" are networks.
  const [, prefix] = /^((?:\d{1,3}\.){1,3})\*?$/.exec(text) ?? [];
  const isPrefix = key.comparison === 'startswith' || (key.comparison === 'equals' && text.endsWith('*'));
  if (prefix !== undefined && isPrefix) {
    const octets = prefix.split('.').slice(0, -1);
    const cidr = `${[...octets, '0', '0', '0'].slice(0, 4).join('.')}/${octets.length * 8}`;
    if (parseNetwork(cidr) !== null) return check(`${network} = ${quoted(cidr)}`);
  }
  throw new SigmaError(
    'value',
    `${key.comparison} ${shown(text)}: addresses are compared as a whole, or as networks`,
    line,
  );
}

function choiceTree(
  key: ItemKey,
  choices: Readonly<Record<string, Tree>>,
  { text, line }: ScalarValue,
): Tree {
  if (key.comparison !== 'equals') throw unsupported(key, line);
  const word = text.toLowerCase();
  const tree = Object.hasOwn(choices, word) ? choices[word] : undefined;
  if (tree === undefined)
    throw new SigmaError('value', `no event has ${shown(text)} for ${shown(key.field ?? '')}`, line);
  return tree;
}

function syscallTree(key: ItemKey, { text, line }: ScalarValue): Tree {
  if (key.comparison !== 'equals') throw unsupported(key, line);
  // As the processors that most rules are for have them.
  const numbered = /^\d+$/.test(text) ? SYSCALL_NAMES.find(([, { x64 }]) => x64 === Number(text)) : undefined;
  if (numbered !== undefined) return check(`evt.type = ${numbered[0]}`);
  if (eventTypeOf(text) === null)
    throw new SigmaError('value', `there is no system call ${shown(text)}`, line);
  return check(`evt.type = ${text}`);
}

/** A value without wildcards. */
function wordOf(key: ItemKey, value: ScalarValue, line: number): string {
  const text = plainText(parsePattern(value.text));
  if (key.comparison !== 'equals' || text === null || key.base64 !== null)
    throw new SigmaError(
      'value',
      `${shown(key.field ?? '')} has several values, which are compared as wholes`,
      line,
    );
  return text;
}

function unsupported(key: ItemKey, line: number): SigmaError {
  const what = key.field === null ? 'a search' : shown(key.field);
  return new SigmaError('modifier', `${key.comparison} does not go with ${what}`, line);
}
