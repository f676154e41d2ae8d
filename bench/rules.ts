/** `make bench-rules`: what rules cost on one thread. See docs/BENCHMARKS-RULES.md for how to read it. */

import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import type { RulesInForce } from '../src/rules/rules-in-force.ts';
import { RuleSource } from '../src/rules/text.ts';
import { giveBack, ROOT } from './checkout.ts';
import { describeMachine } from './machine.ts';
import { conditionTable } from './rule-conditions.ts';
import { costOf, ROUND_MS, rulesOf, ROUNDS, rulesWith } from './rule-costs.ts';
import { madeUpMix, recordedMix } from './rules-mix.ts';
import { tableAsMarkdown, tableAsText, type Table } from './table.ts';

const HELP = `Measures what rules cost: those that come with the program, made-up ones, and single conditions.

  make bench-rules                          a minute
  make bench-rules ARGS=--write             writes docs/BENCHMARKS-RULES.md
  make bench-rules ARGS='a.yaml,b.yaml c.yaml'    two sets of files besides

Options:
  --write   write the report
  --help    this text
`;
const REPORT = join(ROOT, 'docs', 'BENCHMARKS-RULES.md');
const MADE_UP = 500;

function ofFiles(names: readonly string[]): RulesInForce {
  return rulesOf(names.map((name) => new RuleSource(name, readFileSync(name, 'utf8'))));
}

function setTable(files: readonly string[]): Table {
  const mix = madeUpMix();
  const recorded = recordedMix();
  const own = readdirSync(join(ROOT, 'rules')).filter((name) => name.endsWith('.yaml'));
  const row = (title: string, set: RulesInForce | null) => [
    title,
    costOf(set, mix).toFixed(0),
    costOf(set, recorded).toFixed(0),
  ];
  const ownRules = ofFiles(own.toSorted().map((name) => join(ROOT, 'rules', name)));
  const rows = [
    row('none: the event is filled', null),
    row(`the ${ownRules.rules.length} rules that come with it`, ownRules),
    row(`${MADE_UP} made-up rules`, rulesWith(...madeUpConditions())),
    ...files.map((list) => {
      const names = list.split(',');
      const set = ofFiles(names);
      return row(`${names.map((name) => basename(name)).join(' + ')} (${set.rules.length})`, set);
    }),
  ];
  const columns = ['ns an event', `${mix.length} made-up events`, `${recorded.length} recorded events`];
  return { title: 'Sets of rules', columns, rows };
}

function madeUpConditions(): string[] {
  return Array.from({ length: MADE_UP }, (_, index) =>
    index % 2 === 0
      ? `evt.type = execve and proc.name in (absent${index}, gone${index}) and proc.cmdline contains x`
      : `evt.type in (open, openat) and evt.is_open_write = true and fd.name startswith /opt/absent${index}`,
  );
}

function reportAsMarkdown(tables: readonly Table[]): string {
  const { cpu, cores, kernel, node } = describeMachine();
  return `# Benchmarks of rules

What rules cost, in nanoseconds for each event, on one thread.

- date: ${new Date().toISOString().slice(0, 10)}
- command: \`make bench-rules ARGS=--write\`
- processor: ${cpu}, ${cores} cores
- kernel: ${kernel}
- Node: ${node}

The file is written by \`make bench-rules ARGS=--write\`. Shown is the processor time of the fastest of
${ROUNDS} rounds of ${ROUND_MS} ms, after some to warm up. On a machine whose caches others use as well, one run differs from the next by half: compare two versions in turn, several times.

${tables.map((table) => tableAsMarkdown(table)).join('\n')}
## How it is measured

- **Sets of rules**: all that happens between an event and its alerts, for all rules of a set, with filling the event, which
  the first row has alone. The made-up events are what a web server, a shell and cron do: 8 % programs that are started, 84 % files
  that are opened, 8 % connections. The recorded ones are those of the recordings that the tests have, attacks among them. The 500 made-up
  rules stand for those of somebody who has many; they are true of none.
- **Conditions**: a rule with one condition, which is true of no event, so that all of it is looked at; without what it costs to fill the
  event, and with what it costs to get to the rule. Terms are joined by \`or\`, or stand in one list. Of the fields of connections the
  events are connections alone. Some 30 ns of each figure are the way to the rule and back.
- The texts of the events are the same in each round, so V8 knows their hashes; on a live host each path is a new one, which costs
  what it takes to read it once.
`;
}

const { values, positionals } = parseArgs({
  options: { write: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
  allowPositionals: true,
});
if (values.help) console.log(HELP.trimEnd());
else {
  // Sets first, since a process has one: behind a hundred others V8 optimises none of them.
  const tables = [setTable(positionals), conditionTable()];
  console.log(tables.map((table) => tableAsText(table)).join('\n'));
  if (values.write) {
    await writeFile(REPORT, reportAsMarkdown(tables));
    await giveBack(REPORT);
    console.error(`bench: wrote ${relative(process.cwd(), REPORT)}`);
  }
}
