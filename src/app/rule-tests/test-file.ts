import { isMap, isSeq, parseDocument, type Node } from 'yaml';
import { YamlReader } from '../../rules/load/yaml-reader.ts';
import { placeOf, scalarText } from '../../rules/load/yaml-text.ts';
import { problemAt, RuleError, type RuleProblem } from '../../rules/problem.ts';
import type { Place, RuleSource } from '../../rules/text.ts';
import { readCase, type Description } from './description.ts';

/** What must happen with one rule. Each case is one or several events. */
export interface RuleTest {
  readonly rule: string;
  readonly place: Place;
  /** Of each of these at least one event makes the rule fire. */
  readonly fires: readonly (readonly Description[])[];
  /** Of these no event does. */
  readonly quiet: readonly (readonly Description[])[];
}

/** What hosts do every day: no rule at all may fire. */
export interface OrdinaryWork {
  readonly name: string;
  readonly place: Place;
  readonly steps: readonly Description[];
}

export interface TestFile {
  readonly rules: readonly RuleTest[];
  readonly ordinary: readonly OrdinaryWork[];
  readonly errors: readonly RuleProblem[];
}

/** Larger files are refused: parsed YAML takes a hundred times the memory of its text. */
const MAX_FILE_LENGTH = 16 << 20;

/** Reads a file of tests; what is wrong with one item costs that one. Never throws. */
export function readTestFile(source: RuleSource): TestFile {
  const rules: RuleTest[] = [];
  const ordinary: OrdinaryWork[] = [];
  const errors: RuleProblem[] = [];
  for (const node of itemsOf(source, errors)) {
    try {
      const item = readItem(node, source);
      if ('rule' in item) rules.push(item);
      else ordinary.push(item);
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
      errors.push(error.problem);
    }
  }
  return { rules, ordinary, errors };
}

function itemsOf(source: RuleSource, errors: RuleProblem[]): readonly unknown[] {
  const start = { source, offset: 0 };
  if (source.text.length > MAX_FILE_LENGTH) {
    errors.push(problemAt('too-large', 'the file is larger than 16 MiB', start, ''));
    return [];
  }
  let document;
  try {
    document = parseDocument(source.text, { schema: 'failsafe', prettyErrors: false });
  } catch (error) {
    // The parser recurses into nested collections.
    const message = error instanceof RangeError ? 'the YAML is nested too deeply' : String(error);
    errors.push(problemAt('yaml', message, start, ''));
    return [];
  }
  for (const error of document.errors)
    errors.push(problemAt('yaml', error.message, { source, offset: error.pos[0] }, ''));
  if (errors.length > 0) return [];
  if (isSeq(document.contents)) return document.contents.items;
  errors.push(problemAt('item', 'a file of tests must be a list', start, ''));
  return [];
}

function readItem(node: unknown, source: RuleSource): RuleTest | OrdinaryWork {
  const place = placeOf(node as Node | null, source);
  if (!isMap(node)) throw new RuleError(problemAt('item', 'an item must have keys', place, ''));
  const ordinary = scalarText(node.get('ordinary', true), source);
  if (ordinary !== null) return { name: ordinary.text, place, steps: readCase(node, source, ['ordinary']) };
  const reader = new YamlReader(node, source, 'a test', ['rule', 'fires', 'quiet']);
  const cases = (key: string) => (reader.list(key) ?? []).map((one) => readCase(one, source));
  return { rule: reader.requiredText('rule').text, place, fires: cases('fires'), quiet: cases('quiet') };
}
