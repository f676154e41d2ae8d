import { SigmaError } from './problem.ts';
import type { MapValue, Value } from './yaml-value.ts';

/** The log source that a rule is for, as it says. */
export interface LogSource {
  readonly product: string | null;
  readonly category: string | null;
  readonly service: string | null;
}

/** What a Sigma rule says, read but not converted. */
export interface SigmaRule {
  readonly line: number;
  readonly title: string;
  readonly id: string | null;
  readonly status: string | null;
  readonly level: string | null;
  readonly description: string | null;
  readonly tags: readonly string[];
  /** What has no place in our rules but belongs to them: as lines for a comment. */
  readonly remarks: readonly string[];
  readonly source: LogSource;
  readonly sourceLine: number;
  readonly selections: ReadonlyMap<string, Value>;
  /** Any of which must be true. */
  readonly conditions: readonly { readonly text: string; readonly line: number }[];
  readonly timeframeLine: number | null;
}

/** Remarks of a rule, in order: keys of Sigma, and what a comment calls them. */
const REMARKS: readonly (readonly [key: string, name: string])[] = [
  ['id', 'Sigma rule'],
  ['status', 'status'],
  ['author', 'author'],
  ['date', 'date'],
  ['modified', 'modified'],
  ['license', 'license'],
  ['references', 'reference'],
  ['falsepositives', 'false positive'],
];
const MAX_REMARKS = 64;
/** Characters: alerts are told by it. */
const MAX_TITLE = 256;

/** @throws SigmaError for what is no rule on single events */
export function readRule(document: Value): SigmaRule {
  const rule = mapOf(document, 'a rule');
  if (rule.entries.has('correlation'))
    throw new SigmaError('correlation', 'it is a correlation of other rules, over time', rule.line);
  if (rule.entries.has('filter')) throw new SigmaError('filter', 'it is a filter for other rules', rule.line);
  const detection = rule.entries.get('detection');
  if (detection === undefined) throw new SigmaError('no-rule', 'it has no detection', rule.line);
  const source = rule.entries.get('logsource');
  if (source === undefined) throw new SigmaError('no-rule', 'it has no logsource', rule.line);
  const parts = mapOf(detection, 'detection');
  const selections = new Map(parts.entries);
  const condition = selections.get('condition');
  if (condition === undefined)
    throw new SigmaError('no-rule', 'its detection has no condition', detection.line);
  const timeframe = selections.get('timeframe');
  selections.delete('condition');
  selections.delete('timeframe');
  const sourceMap = mapOf(source, 'logsource');
  return {
    line: rule.line,
    title: (textOf(rule, 'title') ?? textOf(rule, 'id') ?? `Sigma rule of line ${rule.line}`).slice(
      0,
      MAX_TITLE,
    ),
    id: textOf(rule, 'id'),
    status: textOf(rule, 'status')?.toLowerCase() ?? null,
    level: textOf(rule, 'level')?.toLowerCase() ?? null,
    description: textOf(rule, 'description'),
    tags: textsOf(rule.entries.get('tags')),
    remarks: REMARKS.flatMap(([key, name]) =>
      textsOf(rule.entries.get(key)).map((text) => `${name}: ${text}`),
    ).slice(0, MAX_REMARKS),
    source: {
      product: textOf(sourceMap, 'product')?.toLowerCase() ?? null,
      category: textOf(sourceMap, 'category')?.toLowerCase() ?? null,
      service: textOf(sourceMap, 'service')?.toLowerCase() ?? null,
    },
    sourceLine: source.line,
    selections,
    conditions: conditionsOf(condition),
    timeframeLine: timeframe?.line ?? null,
  };
}

function conditionsOf(value: Value): readonly { text: string; line: number }[] {
  const items = value.kind === 'list' ? value.items : [value];
  const texts = items.map((item) => {
    if (item.kind !== 'scalar' || item.text.trim() === '')
      throw new SigmaError('condition', 'a condition must be a text', item.line);
    return { text: item.text, line: item.line };
  });
  if (texts.length === 0) throw new SigmaError('condition', 'the condition is empty', value.line);
  return texts;
}

export function mapOf(value: Value, what: string): MapValue {
  if (value.kind !== 'map') throw new SigmaError('no-rule', `${what} must have keys`, value.line);
  return value;
}

function textOf(map: MapValue, key: string): string | null {
  const value = map.entries.get(key);
  return value?.kind === 'scalar' && value.text.trim() !== '' ? value.text.trim() : null;
}

/** The texts of a list, or of one; what is none is left out. */
function textsOf(value: Value | undefined): readonly string[] {
  if (value === undefined || value.kind === 'map') return [];
  const items = value.kind === 'list' ? value.items : [value];
  return items.flatMap((item) =>
    item.kind === 'scalar' && item.text.trim() !== '' ? [item.text.trim()] : [],
  );
}
