import { isMap, type Node } from 'yaml';
import { nearestWord } from '../../base/nearest-word.ts';
import type { YamlReader } from '../load/yaml-reader.ts';
import { scalarText } from '../load/yaml-text.ts';
import type { RuleProblem } from '../problem.ts';
import { parseDuration } from '../sequences/duration.ts';
import { RESPONSES, SIGNALS, type Response } from './response.ts';

/** A client is refused for so long where a rule does not say: long enough to be in its way, short enough for a mistake. */
const BLOCK_NS = 30 * 60e9;

const ARGUMENTS: Readonly<Record<Response['kind'], readonly string[]>> = {
  kill: ['target', 'signal'],
  contain: ['target', 'for'],
  block: ['target', 'for'],
};

/**
 * `respond: [kill, block: { for: 1h }]`: kinds, each a word or a word with its arguments. That nothing acts on them is a warning.
 * @throws RuleError
 */
export function readResponses(rule: YamlReader, warnings: RuleProblem[]): readonly Response[] | null {
  const nodes = rule.list('respond');
  if (nodes === null) return null;
  const at = rule.value('respond') as Node | null;
  const responses = nodes.map((node) => readResponse(rule, node));
  const kinds = responses.map(({ kind }) => kind);
  const repeated = kinds.find((kind, index) => kinds.indexOf(kind) !== index);
  if (repeated !== undefined) throw rule.error('response', `'respond' says '${repeated}' twice`, at);
  if (responses.length > 0) {
    const message = "there is no responder yet: 'respond' is told with the alert, and nothing acts on it";
    warnings.push(rule.error('no-responder', message, at).problem);
  }
  return responses;
}

function readResponse(rule: YamlReader, node: unknown): Response {
  const word = scalarText(node, rule.source);
  if (word !== null) return responseOf(kindOf(rule, word.text, node), null);
  const [pair, another] = isMap(node) ? node.items : [];
  const name = scalarText(pair?.key, rule.source);
  if (pair === undefined || another !== undefined || name === null) {
    const message = `a response is one of ${RESPONSES.join(', ')}, or one of them with its arguments`;
    throw rule.error('response', message, node as Node | null);
  }
  const kind = kindOf(rule, name.text, pair.key);
  return responseOf(kind, rule.map(pair.value, `'${kind}'`, ARGUMENTS[kind]));
}

function kindOf(rule: YamlReader, name: string, node: unknown): Response['kind'] {
  const kind = RESPONSES.find((one) => one === name.toLowerCase());
  if (kind !== undefined) return kind;
  const message = `there is no response '${name}': they are ${RESPONSES.join(', ')}`;
  throw rule.error('response', message, node as Node | null, nearestWord(name, RESPONSES));
}

/** @param given null: the kind alone */
function responseOf(kind: Response['kind'], given: YamlReader | null): Response {
  switch (kind) {
    case 'kill': {
      const target = given?.choice('target', ['process', 'tree']) ?? 'process';
      return { kind, target, signal: given?.choice('signal', SIGNALS) ?? 'SIGKILL' };
    }
    case 'contain': {
      const target = given?.choice('target', ['process', 'container']) ?? 'process';
      return { kind, target, forNs: durationOf(given) };
    }
    case 'block': {
      const target = given?.choice('target', ['client', 'remote']) ?? 'client';
      return { kind, target, forNs: durationOf(given) ?? BLOCK_NS };
    }
  }
}

function durationOf(given: YamlReader | null): number | null {
  const text = given?.text('for') ?? null;
  if (given === null || text === null) return null;
  const durationNs = parseDuration(text.text);
  if (durationNs !== null) return durationNs;
  throw given.error('response', "'for' must be a time, such as 90s, 30m or 2h", given.value('for') as Node);
}
