import type { CommandContext } from '../command.ts';
import type { EngineOptions } from '../contract.ts';
import { choice, flag, InvalidValueError, list, text, value } from '../option.ts';
import { problemsNotice, RuleFiles } from './rule-files.ts';

/** Options of commands that raise alerts. */
export const ruleOptions = {
  rules: list(
    'PATH',
    'rules that raise alerts: a file, or a folder with all .yaml files in it, by name; may be given several times; default: none',
    (path) => path,
  ),
  'default-rules': flag('rules that come with the program raise alerts (docs/reference/rules.md)'),
  'rule-matching': choice(
    'WHICH',
    ['first', 'all'],
    'first',
    'of the rules that are true of an event, alert of the first alone or of all',
  ),
};

export const outputOptions = {
  'alerts-file': text('FILE', 'append alerts to this file, too, one JSON object a line'),
  'alerts-url': value(
    'URL',
    'send each alert in a POST request to this address, too (http or https)',
    readUrl,
  ),
};

function readUrl(given: string): string {
  const { protocol } = URL.parse(given) ?? {};
  if (protocol !== 'http:' && protocol !== 'https:')
    throw new InvalidValueError(`must be like http://127.0.0.1:2801/, not ${JSON.stringify(given)}`);
  return given;
}

interface RuleValues {
  readonly rules: readonly string[] | null;
  readonly 'default-rules': boolean;
  readonly 'rule-matching': 'first' | 'all';
}

/**
 * Reads the rules that the options name.
 * @returns what the engine needs of them; null where they have errors, which were told
 */
export function rulesFor(context: CommandContext, values: RuleValues): Pick<EngineOptions, 'rules'> | null {
  const { console, ruleGround } = context;
  const { defaultFolder } = ruleGround;
  const own = values['default-rules'] && defaultFolder !== null ? [defaultFolder] : [];
  const paths = [...own, ...(values.rules ?? [])];
  if (paths.length === 0) return {};
  const rules = new RuleFiles(context, paths, values['rule-matching']);
  const problems = rules.read();
  if (problems.length === 0) return { rules };
  console.notice(problemsNotice('nothing was started', problems));
  return null;
}
