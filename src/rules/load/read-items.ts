import type { YAMLMap } from 'yaml';
import type { RuleProblem } from '../problem.ts';
import type { RuleSource } from '../text.ts';
import { readResponses } from '../responses/read-responses.ts';
import { readSeveral, SEVERAL_KEYS } from '../sequences/read-several.ts';
import { readExceptions } from './read-exceptions.ts';
import {
  PRIORITIES,
  type ListItem,
  type MacroItem,
  type OverrideMode,
  type Priority,
  type RuleItem,
} from './items.ts';
import type { YamlReader as Reader } from './yaml-reader.ts';
import { YamlReader } from './yaml-reader.ts';
import { placeOf } from './yaml-text.ts';
import type { Node } from 'yaml';

const RULE_KEYS = [
  'rule',
  'desc',
  'condition',
  ...SEVERAL_KEYS,
  'output',
  'priority',
  'source',
  'enabled',
  'tags',
  'exceptions',
  'warn_evttypes',
  'skip-if-unknown-filter',
  'capture',
  'capture_duration',
  'respond',
  'append',
  'override',
];
const MACRO_KEYS = ['macro', 'condition', 'append', 'override'];
const LIST_KEYS = ['list', 'items', 'append', 'override'];

/** Which keys may be changed how. */
const APPENDABLE = {
  rule: ['condition', 'output', 'desc', 'tags', 'exceptions'],
  macro: ['condition'],
  list: ['items'],
} as const;
const REPLACEABLE = {
  rule: [
    ...APPENDABLE.rule,
    'priority',
    'enabled',
    'warn_evttypes',
    'skip-if-unknown-filter',
    'capture',
    'capture_duration',
    'respond',
    ...SEVERAL_KEYS,
  ],
  macro: ['condition'],
  list: ['items'],
} as const;

export function readMacro(node: YAMLMap, source: RuleSource, warnings: RuleProblem[]): MacroItem {
  const reader = new YamlReader(node, source, 'a macro', MACRO_KEYS);
  const base = readBase(reader, 'macro', warnings);
  return { kind: 'macro', ...base, condition: reader.requiredText('condition') };
}

export function readList(node: YAMLMap, source: RuleSource, warnings: RuleProblem[]): ListItem {
  const reader = new YamlReader(node, source, 'a list', LIST_KEYS);
  const base = readBase(reader, 'list', warnings);
  const items = reader.texts('items');
  if (items === null) throw reader.error('item', "'items' is missing", node);
  return { kind: 'list', ...base, items };
}

export function readRule(node: YAMLMap, source: RuleSource, warnings: RuleProblem[]): RuleItem {
  const reader = new YamlReader(node, source, 'a rule', RULE_KEYS);
  const base = readBase(reader, 'rule', warnings);
  return {
    kind: 'rule',
    ...base,
    condition: reader.has('condition') ? reader.requiredText('condition') : null,
    several: readSeveral(reader),
    output: reader.has('output') ? reader.requiredText('output') : null,
    description: reader.text('desc')?.text ?? null,
    priority: readPriority(reader),
    source: reader.text('source'),
    isEnabled: reader.boolean('enabled'),
    tags: reader.texts('tags')?.map(({ text }) => text) ?? null,
    exceptions: readExceptions(reader),
    warnsOfEventTypes: reader.boolean('warn_evttypes'),
    skipsUnknownFilter: reader.boolean('skip-if-unknown-filter'),
    capture: reader.boolean('capture'),
    captureDurationMs: readDuration(reader),
    responses: readResponses(reader, warnings),
  };
}

function readBase(reader: Reader, kind: 'rule' | 'macro' | 'list', warnings: RuleProblem[]) {
  const name = reader.requiredText(kind).text;
  if (kind !== 'rule' && !/^[a-zA-Z][\w.-]*$/.test(name)) {
    const message = `the name of a ${kind} must begin with a letter and have no blanks in it`;
    throw reader.error('item', message, reader.value(kind) as Node);
  }
  const isAppend = reader.boolean('append') ?? false;
  const override = readOverride(reader, kind);
  if (isAppend && override.size > 0)
    throw reader.error('item', "'append' and 'override' exclude each other", reader.node);
  if (isAppend) {
    const message = "'append' is old: 'override' says which keys are appended to";
    warnings.push(reader.error('deprecated', message, reader.value('append') as Node).problem);
  }
  return { name, place: placeOf(reader.node, reader.source), isAppend, override, keys: reader.keys };
}

function readOverride(reader: Reader, kind: 'rule' | 'macro' | 'list'): ReadonlyMap<string, OverrideMode> {
  const override = new Map<string, OverrideMode>();
  if (!reader.has('override')) return override;
  const modes = reader.map(reader.value('override'), "'override'", REPLACEABLE[kind]);
  for (const key of modes.keys) {
    const mode = modes.choice(key, ['append', 'replace']) ?? 'replace';
    const at = modes.value(key) as Node;
    if (mode === 'append' && !(APPENDABLE[kind] as readonly string[]).includes(key))
      throw modes.error('item', `'${key}' cannot be appended to, only replaced`, at);
    if (!reader.has(key)) throw modes.error('item', `'${key}' is to be overridden, but is missing`, at);
    override.set(key, mode);
  }
  for (const key of reader.keys) {
    if (key === kind || key === 'override' || key === 'append' || override.has(key)) continue;
    throw reader.error('item', `'override' does not say how '${key}' is meant`, reader.value(key) as Node);
  }
  return override;
}

function readPriority(reader: Reader): Priority | null {
  // The one short form that the reference engine knows.
  if (reader.text('priority')?.text.toLowerCase() === 'info') return 'Informational';
  return reader.choice('priority', PRIORITIES);
}

function readDuration(reader: Reader): number | null {
  const text = reader.text('capture_duration');
  if (text === null) return null;
  if (/^\d{1,9}$/.test(text.text)) return Number(text.text);
  const at = reader.value('capture_duration') as Node;
  throw reader.error('item', "'capture_duration' must be milliseconds", at);
}
