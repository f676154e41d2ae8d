import { textFromByteString, type ByteString } from '../../base/bytes.ts';
import type { RuleEvent } from '../event.ts';
import { compileGlob, globLiterals } from '../match/glob.ts';
import { pathAsPrefix } from '../match/path-prefix.ts';
import { literalPrefixes } from '../match/regex.ts';
import type { TextOperator } from '../match/text-test.ts';
import type { Where } from '../match/word-table.ts';
import type { Expression } from '../syntax.ts';
import { hasFewValues, setCheckOf, type CheckContext } from './check.ts';
import type { Compiled } from './test.ts';
import { valueWords } from './value-words.ts';

/** Words of which one must stand in a field for a condition to be true. */
export interface Clue {
  /** Of the field. */
  readonly key: string;
  readonly get: (event: RuleEvent) => ByteString | null;
  readonly where: Where;
  readonly words: readonly ByteString[];
}

/** What must be there for a condition to be true: one of some clues. */
export type AnyClue = readonly Clue[];

/** More ways to look for one rule are not compared. */
const MAX_CHOICES = 16;
/** Shorter words stand in most texts. */
const MIN_LENGTH = 3;

/** The field that fd.filename is the end of. */
const PATH: Pick<Clue, 'key' | 'get'> = { key: 'fd.name', get: ({ descriptor }) => descriptor?.name ?? null };
/** What it costs to look for words, in units of a property's look-up. */
export const LOOK_COST: Readonly<Record<Where, number>> = {
  equal: 3,
  prefix: 3,
  path: 4,
  suffix: 3,
  inside: 5,
};

/**
 * All choices of what to look for, so that a condition is run only where it is there; none where it may be true of
 * anything.
 * @param compile gives what parts of the condition come to in this context
 */
export function cluesOf(
  condition: Expression,
  context: CheckContext,
  compile: (part: Expression) => Compiled,
): readonly AnyClue[] {
  switch (condition.kind) {
    case 'and':
      return condition.children.flatMap((child) => cluesOf(child, context, compile)).slice(0, MAX_CHOICES);
    case 'or': {
      const found: Clue[] = [];
      for (const child of condition.children) {
        const compiled = compile(child);
        if (compiled.kind === 'constant' && !compiled.value) continue;
        const choices = cluesOf(child, context, compile);
        const [first] = choices;
        if (first === undefined) return [];
        found.push(...choices.reduce((best, one) => (costOf(one) < costOf(best) ? one : best), first));
      }
      return found.length === 0 ? [] : [merged(found)];
    }
    case 'check': {
      const check = setCheckOf(condition, context);
      if (check === null || hasFewValues(check.bound)) return [];
      const { access, key, cost } = check.bound;
      const values = valueWords(check);
      if (values !== null) return [[{ key, where: 'equal', ...values }]];
      if (access.shape !== 'single' || access.type !== 'string' || cost > 1) return [];
      const found = check.literals.map(({ value }) => placeOf(check.operator, value));
      const get = access.get as Clue['get'];
      const clues = found.map((one) => one && (key === 'fd.filename' ? inPath(one) : { key, get, ...one }));
      return clues.includes(null) ? [] : [merged(clues.flatMap((one) => one ?? []))];
    }
    default:
      return [];
  }
}

function costOf(clues: AnyClue): number {
  return clues.reduce((sum, { where }) => sum + LOOK_COST[where], 0);
}

/** Words of one field that stand in the same place are looked for at once. */
function merged(clues: readonly Clue[]): AnyClue {
  const groups = [...Map.groupBy(clues, ({ key, where }) => `${key} ${where}`).values()];
  return groups.flatMap((group) => {
    const [first] = group;
    return first === undefined ? [] : { ...first, words: [...new Set(group.flatMap(({ words }) => words))] };
  });
}

/** A word that stands in every text of which the operator is true, and where; null: there is none that says much. */
function placeOf(operator: TextOperator, word: ByteString): Pick<Clue, 'where' | 'words'> | null {
  switch (operator) {
    case 'in':
      return { where: 'equal', words: [word] };
    case 'startswith':
      return place('prefix', word);
    case 'endswith':
      return place('suffix', word);
    case 'contains':
      return place('inside', word);
    case 'pmatch':
      return place('path', pathAsPrefix(word));
    case 'regex':
      return places('prefix', literalPrefixes(textFromByteString(word)));
    case 'glob': {
      const { prefix, suffix, longest, form } = globLiterals(compileGlob(word));
      if (form === 'equal') return { where: 'equal', words: [prefix] };
      return place('prefix', prefix) ?? place('suffix', suffix) ?? place('inside', longest);
    }
    case 'icontains':
    case 'iglob':
      return null;
  }
}

/** Words of the name of a file as words of its path, in which other rules look for some anyhow: to cut out the name costs more. */
function inPath({ where, words }: Pick<Clue, 'where' | 'words'>): Clue | null {
  if (where === 'path' || words.some(({ length }) => length < MIN_LENGTH)) return null;
  return { ...PATH, where: where === 'equal' || where === 'suffix' ? 'suffix' : 'inside', words };
}

function place(where: Where, word: ByteString | null): Pick<Clue, 'where' | 'words'> | null {
  return word === null ? null : places(where, [word]);
}

function places(where: Where, words: readonly ByteString[]): Pick<Clue, 'where' | 'words'> | null {
  return words.some((word) => word.length < MIN_LENGTH) ? null : { where, words };
}
