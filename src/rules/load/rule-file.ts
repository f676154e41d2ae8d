import { isMap, isSeq, LineCounter, parseAllDocuments, type Document, type Node } from 'yaml';
import { nearestWord } from '../../base/nearest-word.ts';
import { problemAt, RuleError, type RuleProblem } from '../problem.ts';
import type { RuleSource } from '../text.ts';
import type { RuleFileItem } from './items.ts';
import { readList, readMacro, readRule } from './read-items.ts';
import { BUILT_IN_PLUGINS, ENGINE_VERSION, parseVersion, satisfies } from './version.ts';
import { YamlReader } from './yaml-reader.ts';
import { resolveAliases } from './yaml-aliases.ts';
import { placeOf, scalarText } from './yaml-text.ts';

export interface RuleFile {
  readonly items: readonly RuleFileItem[];
  readonly errors: readonly RuleProblem[];
  readonly warnings: readonly RuleProblem[];
}

/** Larger files are refused: parsed YAML takes a hundred times the memory of its text. */
const MAX_FILE_LENGTH = 16 << 20;
const TOP_LEVEL = ['rule', 'macro', 'list', 'required_engine_version', 'required_plugin_versions'] as const;

/** Reads the items of a rule file; what is wrong with one of them costs that one. Never throws. */
export function readRuleFile(source: RuleSource): RuleFile {
  const items: RuleFileItem[] = [];
  const errors: RuleProblem[] = [];
  const warnings: RuleProblem[] = [];
  const start = { source, offset: 0 };
  if (source.text.length > MAX_FILE_LENGTH) {
    errors.push(problemAt('too-large', 'the file is larger than 16 MiB', start, ''));
    return { items, errors, warnings };
  }
  for (const document of parseDocuments(source, errors)) {
    for (const node of topLevelItems(document, source, errors)) {
      try {
        readItem(node, source, items, warnings);
      } catch (error) {
        if (!(error instanceof RuleError)) throw error;
        errors.push(error.problem);
        // Nothing of a file that needs a newer engine is sure to mean what it says.
        if (error.problem.code === 'engine-version') return { items: [], errors, warnings };
      }
    }
  }
  return { items, errors, warnings };
}

/** The documents of the file; none where it is no YAML. Scalars stay text: what they mean is the key's to say. */
function parseDocuments(source: RuleSource, errors: RuleProblem[]): readonly Document[] {
  let documents;
  try {
    documents = parseAllDocuments(source.text, {
      schema: 'failsafe',
      lineCounter: new LineCounter(),
      prettyErrors: false,
    });
  } catch (error) {
    // The parser recurses into nested collections.
    const message = error instanceof RangeError ? 'the YAML is nested too deeply' : String(error);
    errors.push(problemAt('yaml', message, { source, offset: 0 }, ''));
    return [];
  }
  if (!Array.isArray(documents)) return [];
  for (const document of documents) {
    for (const error of document.errors) {
      const [offset, end] = error.pos;
      errors.push(problemAt('yaml', error.message, { source, offset }, lineAt(source.text, offset, end)));
    }
  }
  if (errors.length > 0) return [];
  try {
    for (const document of documents) resolveAliases(document, source, errors);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    errors.push(problemAt('yaml', 'the aliases are nested too deeply', { source, offset: 0 }, ''));
  }
  return errors.length > 0 ? [] : documents;
}

function lineAt(text: string, start: number, end: number): string {
  const lineEnd = text.indexOf('\n', start);
  return text.slice(start, Math.max(end, lineEnd === -1 ? text.length : lineEnd)).trimEnd();
}

function topLevelItems(document: Document, source: RuleSource, errors: RuleProblem[]): readonly unknown[] {
  const { contents } = document;
  if (isSeq(contents)) return contents.items;
  if (contents !== null && scalarText(contents, source)?.text !== '') {
    const place = placeOf(contents, source);
    errors.push(problemAt('item', 'a rule file must be a list of rules, macros and lists', place, ''));
  }
  return [];
}

function readItem(node: unknown, source: RuleSource, items: RuleFileItem[], warnings: RuleProblem[]): void {
  if (!isMap(node)) {
    const text = scalarText(node, source)?.text ?? '';
    const place = placeOf(node as Node | null, source);
    throw new RuleError(problemAt('item', 'an item must have keys', place, text));
  }
  const keys = node.items.map((pair) => scalarText(pair.key, source)?.text ?? '');
  const kind = TOP_LEVEL.find((name) => keys.includes(name));
  switch (kind) {
    case 'rule':
      items.push(readRule(node, source, warnings));
      return;
    case 'macro':
      items.push(readMacro(node, source, warnings));
      return;
    case 'list':
      items.push(readList(node, source, warnings));
      return;
    case 'required_engine_version':
      requireEngine(new YamlReader(node, source, kind, [kind]));
      return;
    case 'required_plugin_versions':
      warnings.push(...missingPlugins(new YamlReader(node, source, kind, [kind])));
      return;
    case undefined: {
      const [first = ''] = keys;
      const message = `an item must be one of ${TOP_LEVEL.join(', ')}`;
      const place = placeOf(node, source);
      throw new RuleError(problemAt('item', message, place, first, nearestWord(first, TOP_LEVEL)));
    }
  }
}

function requireEngine(reader: YamlReader): void {
  const key = 'required_engine_version';
  const text = reader.requiredText(key).text;
  const needed = parseVersion(text);
  const at = reader.value(key) as Node;
  if (needed === null) throw reader.error('item', `'${key}' must be a number or a version like 0.63.0`, at);
  const own = parseVersion(ENGINE_VERSION);
  if (own === null || !satisfies(own, needed)) {
    const message = `the file needs version ${text} of the rule language, this is ${ENGINE_VERSION}`;
    throw reader.error('engine-version', message, at);
  }
}

/** Warnings for plugins that are required and not built in: their fields are unknown then, which is an error of its own. */
function missingPlugins(reader: YamlReader): RuleProblem[] {
  const keys = ['name', 'version', 'alternatives'];
  const warnings: RuleProblem[] = [];
  for (const node of reader.list('required_plugin_versions') ?? []) {
    const plugin = reader.map(node, 'a required plugin', keys);
    const names = [plugin.requiredText('name').text];
    plugin.requiredText('version');
    for (const other of plugin.list('alternatives') ?? []) {
      names.push(plugin.map(other, 'an alternative', keys).requiredText('name').text);
    }
    if (names.some((name) => BUILT_IN_PLUGINS.has(name))) continue;
    const message = `there is no plugin '${names.join("' or '")}' here`;
    warnings.push(plugin.error('plugin', message, plugin.value('name') as Node).problem);
  }
  return warnings;
}
