/**
 * What rules cost: nanoseconds for an event, on one thread. `make bench-rules`; measured are single conditions, rules that come
 * with the program and 500 made-up ones. ARGS names rule files to measure besides, each set of files given with commas between: ARGS='a.yaml,b.yaml c.yaml'
 */

import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { RuleEvents } from '../src/app/rule-events.ts';
import { loadRules } from '../src/rules/load/load-rules.ts';
import { RulesInForce } from '../src/rules/rules-in-force.ts';
import { RuleSource } from '../src/rules/text.ts';
import { madeUpMix, recordedMix, type Mix } from './rules-mix.ts';
import { median } from './statistics.ts';
import { tableAsText } from './table.ts';

const ROUNDS = 7;
const ROUND_MS = 120;

const mix = madeUpMix();
const recorded = recordedMix();
const events = new RuleEvents({
  clock: { wallMs: (timeNs) => timeNs / 1e6 },
  hostname: 'bench',
  architecture: 'x64',
});

function ruleText(name: string, condition: string): string {
  return `- rule: ${name}\n  desc: d\n  condition: ${JSON.stringify(condition)}\n  output: o\n  priority: INFO\n`;
}

function setOf(sources: readonly RuleSource[]): RulesInForce {
  const { rules, files, hasErrors } = loadRules(sources, { isStrict: false });
  if (hasErrors) throw new Error(JSON.stringify(files.flatMap(({ errors }) => errors)));
  return new RulesInForce(rules, {
    matching: 'all',
    onBroken: (_, error) => {
      throw error;
    },
  });
}

/** Nanoseconds for one event of a mix; median of rounds. */
function cost(run: (effects: Mix) => number, effects = mix): number {
  let sink = run(effects);
  const rounds: number[] = [];
  for (let round = -2; round < ROUNDS; round++) {
    let count = 0;
    const start = performance.now();
    let elapsed = 0;
    while (elapsed < ROUND_MS) {
      sink += run(effects);
      count += effects.length;
      elapsed = performance.now() - start;
    }
    // The first rounds warm up.
    if (round >= 0) rounds.push((elapsed * 1e6) / count);
  }
  if (Number.isNaN(sink)) throw new Error('never');
  return median(rounds);
}

const fill = (effects: Mix) => {
  let types = 0;
  for (const effect of effects) types += events.ofEffect(effect)?.type ?? 0;
  return types;
};

function evaluate(set: RulesInForce): (effects: Mix) => number {
  let matches = 0;
  const onMatch = () => void matches++;
  return (effects) => {
    for (const effect of effects) {
      const event = events.ofEffect(effect);
      if (event !== null) set.evaluate(event, onMatch);
    }
    return matches;
  };
}

const empty = cost(fill);

// Before all else, since a process has one set of rules: behind a hundred others V8 optimises none of them.
const both = (run: (effects: Mix) => number) => [cost(run).toFixed(0), cost(run, recorded).toFixed(0)];
const rows = [['no rule', ...both(fill)]];
const own = join(import.meta.dirname, '..', 'rules');
const ownFiles = readdirSync(own).filter((name) => name.endsWith('.yaml'));
const sets: readonly (readonly [title: string, names: readonly string[]])[] = [
  ['those that come with it', ownFiles.toSorted().map((name) => join(own, name))],
  ...process.argv.slice(2).map((files) => {
    const names = files.split(',');
    return [names.map((name) => basename(name)).join(' + '), names] as const;
  }),
];
for (const [title, names] of sets) {
  const set = setOf(names.map((name) => new RuleSource(name, readFileSync(name, 'utf8'))));
  rows.push([`${title} (${set.rules.length})`, ...both(evaluate(set))]);
}
const many = Array.from({ length: 500 }, (_, index) =>
  ruleText(
    `r${index}`,
    index % 2 === 0
      ? `evt.type = execve and proc.name in (absent${index}, gone${index}) and proc.cmdline contains x`
      : `evt.type in (open, openat) and evt.is_open_write = true and fd.name startswith /opt/absent${index}`,
  ),
).join('');
rows.push(['500 made-up rules', ...both(evaluate(setOf([new RuleSource('bench', many)])))]);

/** A condition alone, without what it costs to fill the event. */
function ofCondition(condition: string): string {
  const set = setOf([new RuleSource('bench', ruleText('r', condition))]);
  return (cost(evaluate(set)) - empty).toFixed(0);
}

const words = (count: number) => Array.from({ length: count }, (_, index) => `/opt/absent${index}/bin`);
const list = (count: number) => `(${words(count).join(', ')})`;
const joined = (operator: string, count: number, form = (word: string) => word) =>
  words(count)
    .map((word) => `proc.exepath ${operator} ${form(word)}`)
    .join(' or ');

// V8 optimises what all conditions share while the first of them run: they would be the slow ones.
const operators = ['=', 'contains', 'icontains', 'startswith', 'endswith', 'glob'];
const shared = operators.map((operator, index) => ruleText(`r${index}`, joined(operator, 8))).join('');
cost(evaluate(setOf([new RuleSource('bench', shared)])));

console.log(
  tableAsText({
    title: `Conditions that do not match, ${mix.length} made-up effects; ns an event beside filling it`,
    columns: ['operator', '1 term', '64 terms'],
    rows: [
      ['=', ofCondition(joined('=', 1)), ofCondition(joined('=', 64))],
      ['in', ofCondition(`proc.exepath in ${list(1)}`), ofCondition(`proc.exepath in ${list(64)}`)],
      ...['contains', 'icontains', 'startswith', 'endswith'].map((operator) => [
        operator,
        ofCondition(joined(operator, 1)),
        ofCondition(joined(operator, 64)),
      ]),
      [
        'glob a*',
        ofCondition(joined('glob', 1, (word) => `${word}*`)),
        ofCondition(joined('glob', 64, (word) => `${word}*`)),
      ],
      [
        'glob a*b?c',
        ofCondition(joined('glob', 1, (word) => `/opt*${word}?x`)),
        ofCondition(joined('glob', 64, (word) => `/opt*${word}?x`)),
      ],
      [
        'pmatch',
        ofCondition(`proc.exepath pmatch ${list(1)}`),
        ofCondition(`proc.exepath pmatch ${list(64)}`),
      ],
      [
        'regex',
        ofCondition(joined('regex', 1, (word) => `${word}.*`)),
        ofCondition(joined('regex', 64, (word) => `${word}.*`)),
      ],
      ['proc.aname in', ofCondition('proc.aname in (a)'), ofCondition(`proc.aname in ${list(64)}`)],
      [
        'proc.cmdline contains',
        ofCondition('proc.cmdline contains absent'),
        ofCondition(`proc.cmdline contains anyof ${list(64)}`),
      ],
    ],
  }),
);

const title = `Events filled, and rules: ${mix.length} made-up effects, and ${recorded.length} of recordings`;
console.log(tableAsText({ title, columns: ['rules', 'made up', 'recorded'], rows }));
