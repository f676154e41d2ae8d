import { isMap, isScalar, isSeq, type Node } from 'yaml';
import type { YamlReader } from '../load/yaml-reader.ts';
import { placeOf, scalarText } from '../load/yaml-text.ts';
import type { RuleText } from '../text.ts';
import { parseDuration } from './duration.ts';
import type { CountItem, SeveralItem, StepCountItem, StepItem } from './items.ts';

/** Keys of a rule that are about several events. */
export const SEVERAL_KEYS = ['sequence', 'within', 'by', 'count'] as const;

const STEP_KEYS = ['condition', 'as', 'by', 'count'];
const STEP_COUNT_KEYS = ['more_than', 'distinct'];
const COUNT_KEYS = [...STEP_COUNT_KEYS, 'within', 'by'];

const MIN_STEPS = 2;
const MAX_STEPS = 16;
const MAX_FIELDS = 8;
/** What is waited for longer is no longer one story, and takes memory all the time. */
const MAX_WITHIN_NS = 7 * 86_400e9;
/** Each event that is counted takes memory until it is too old. */
const MAX_COUNT = 1000;

/** @throws RuleError */
export function readSeveral(rule: YamlReader): SeveralItem {
  const [first] = SEVERAL_KEYS.filter((key) => rule.has(key));
  return {
    steps: readSteps(rule),
    withinNs: rule.has('within') ? readWithin(rule) : null,
    by: readFields(rule),
    count: readCount(rule),
    place: first === undefined ? null : placeOf(rule.value(first) as Node | null, rule.source),
  };
}

function readSteps(rule: YamlReader): readonly StepItem[] | null {
  const nodes = rule.list('sequence');
  if (nodes === null) return null;
  const at = rule.value('sequence') as Node | null;
  if (nodes.length < MIN_STEPS)
    throw rule.error(
      'sequence',
      "a 'sequence' has two steps at least; 'count' counts events of one kind",
      at,
    );
  if (nodes.length > MAX_STEPS)
    throw rule.error('sequence', `a 'sequence' has ${MAX_STEPS} steps at most`, at);
  return nodes.map((node) => readStep(rule, node));
}

/** A condition, or keys of which one is the condition. */
function readStep(rule: YamlReader, node: unknown): StepItem {
  const place = placeOf(node as Node | null, rule.source);
  const text = scalarText(node, rule.source);
  if (text !== null && text.text.trim() !== '')
    return { condition: text, name: null, by: null, count: null, place };
  if (!isMap(node)) throw rule.error('sequence', 'a step is a condition, or has one', node as Node | null);
  const step = rule.map(node, 'a step', STEP_KEYS);
  const name = step.text('as');
  if (name !== null && !/^[a-zA-Z]\w{0,31}$/.test(name.text))
    throw step.error('sequence', 'the name of a step is one word', step.value('as') as Node);
  return {
    condition: step.requiredText('condition'),
    name,
    by: readFields(step),
    count: step.has('count')
      ? readStepCount(step.map(step.value('count'), "'count'", STEP_COUNT_KEYS))
      : null,
    place,
  };
}

function readCount(rule: YamlReader): CountItem | null {
  if (!rule.has('count')) return null;
  const count = rule.map(rule.value('count'), "'count'", COUNT_KEYS);
  if (!count.has('within')) throw count.error('sequence', "'within' is missing in 'count'", count.node);
  return { ...readStepCount(count), withinNs: readWithin(count), by: readFields(count) ?? [] };
}

function readStepCount(count: YamlReader): StepCountItem {
  const text = count.requiredText('more_than').text;
  const moreThan = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (moreThan < 1 || moreThan > MAX_COUNT)
    throw count.error(
      'sequence',
      `'more_than' must be a number from 1 to ${MAX_COUNT}`,
      count.value('more_than') as Node,
    );
  return { moreThan, distinct: count.has('distinct') ? count.requiredText('distinct') : null };
}

function readWithin(reader: YamlReader): number {
  const at = reader.value('within') as Node | null;
  const durationNs = parseDuration(reader.requiredText('within').text);
  if (durationNs === null)
    throw reader.error('sequence', "'within' must be a time, such as 500ms, 90s, 5m or 2h", at);
  if (durationNs > MAX_WITHIN_NS) throw reader.error('sequence', "'within' is 7d at most", at);
  return durationNs;
}

/** One field or several; null where the key is missing. */
function readFields(reader: YamlReader): readonly RuleText[] | null {
  if (!reader.has('by')) return null;
  const at = reader.value('by');
  const fields = isScalar(at) ? [reader.requiredText('by')] : (reader.texts('by') ?? []);
  if (fields.length > MAX_FIELDS || (isSeq(at) && fields.length === 0))
    throw reader.error('sequence', `'by' has one to ${MAX_FIELDS} fields`, at as Node | null);
  return fields;
}
