import type { RuleSet } from '../rule-set.ts';
import { rulesOf } from '../testing.ts';
import { RuleSet as Rules } from '../rule-set.ts';
import { RuleSource } from '../text.ts';
import { importSigma, type ImportedRule } from './convert.ts';

/** A Sigma rule with this detection, in YAML; the condition is `s` where it has none. */
export function sigmaText(
  detection: string,
  logsource = 'category: process_creation, product: linux',
  more = '',
): string {
  const lines = detection.split('\n').map((line) => `  ${line}`);
  const condition = /^condition:/m.test(detection) ? [] : ['  condition: s'];
  return ['title: t', `logsource: {${logsource}}`, 'detection:', ...lines, ...condition, more].join('\n');
}

/** The only rule of a text. */
export function importOne(text: string): ImportedRule {
  const { rules } = importSigma([new RuleSource('a.yml', text)]);
  const [only] = rules;
  if (rules.length !== 1 || only === undefined) throw new Error(`${rules.length} rules`);
  return only;
}

/** The condition of a converted rule, on one line and without what all rules of its category begin with. */
export function conditionOf(text: string): string {
  const { yaml, problems } = importOne(text);
  if (yaml === null) throw new Error(problems.map(({ message }) => message).join('; '));
  const [, condition = ''] = /condition: >-\n((?: {4}.*\n)+)/.exec(yaml) ?? [];
  return condition.trim().replaceAll('\n    ', ' ').replace('evt.type in (execve, execveat) and ', '');
}

/** The rules of a rule file, ready to be evaluated. */
export function ruleSetOf(yaml: string): RuleSet {
  return new Rules(rulesOf(yaml), {
    matching: 'all',
    onBroken: (_, error) => {
      throw error;
    },
  });
}
