import type { CommandContext } from '../command.ts';
import type { AlertLimit, EngineOptions } from '../contract.ts';
import { choice, flag, InvalidValueError, list, text, value, type OptionValues } from '../option.ts';
import { selectionOptions, selectionsOf } from '../rules/selection-options.ts';
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
  ...selectionOptions,
  'alert-limit': value(
    'COUNT/UNIT',
    'alerts that each rule may raise, such as 10/s, 600/m or 5000/h, or none for any number; so many at once, and then as they come back; default: 1000/m',
    readLimit,
  ),
};

/** How long a unit is, in nanoseconds. */
const UNITS_NS: Readonly<Record<string, number>> = { s: 1e9, m: 60e9, h: 3600e9 };

function readLimit(given: string): AlertLimit {
  if (given === 'none') return { count: Infinity, perNs: 1 };
  const [, count = '', unit = ''] = /^(\d{1,7})\/([smh])$/.exec(given) ?? [];
  const perNs = UNITS_NS[unit];
  if (perNs === undefined || Number(count) === 0)
    throw new InvalidValueError(`must be like 10/s, 600/m or 5000/h, or none, not ${JSON.stringify(given)}`);
  return { count: Number(count), perNs };
}

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

type RuleValues = OptionValues<typeof ruleOptions>;

/**
 * Reads the rules that the options name.
 * @returns what the engine needs of them; null where they cannot be read, which was told
 */
export function rulesFor(
  context: CommandContext,
  values: RuleValues,
): Pick<EngineOptions, 'rules' | 'alertLimit'> | null {
  const { console, ruleGround } = context;
  const { defaultFolder } = ruleGround;
  const own = values['default-rules'] && defaultFolder !== null ? [defaultFolder] : [];
  const paths = [...own, ...(values.rules ?? [])];
  if (paths.length === 0) return {};
  const rules = new RuleFiles(context, paths, {
    matching: values['rule-matching'],
    selections: selectionsOf(values),
  });
  const problems = rules.read();
  const alertLimit = values['alert-limit'];
  if (problems.length === 0) return alertLimit === null ? { rules } : { rules, alertLimit };
  console.notice(problemsNotice(problems, true));
  return null;
}
