import { eventText } from '../output/text/event-text.ts';
import { findingText } from '../output/text/finding-text.ts';
import type { CliConsole } from './console.ts';
import type { ResultMessage } from './observation.ts';
import { outputOptions, ruleOptions, rulesFor } from './alerts/alert-options.ts';
import { alertText } from './alerts/alert-text.ts';
import { defineCommand } from './command.ts';
import { environmentOf, environmentOptions, jsonOption, reaches, verdictOption } from './common-options.ts';
import { filterOf, filterOptions } from './filter-options.ts';
import { limiter, observe } from './observation.ts';
import { count, flag } from './option.ts';
import { tracePrinter, type TracePrinter } from './trace-printer.ts';

export const replayCommand = defineCommand({
  name: 'replay',
  summary: 'analyse a recording, without root',
  description: [
    'Runs the whole analysis on a recording and gives the same findings as it gave, or would have given, live.',
    'With --trace, --summary, or an option that chooses requests, it also prints requests as "throughline trace" does. The choice is one of requests: findings are printed all the same.',
  ],
  positionals: [{ name: 'FILE', help: 'a recording, made by "record" or "run --record"' }],
  options: {
    trace: flag('print requests with what they did, too'),
    ...filterOptions,
    summary: flag('count requests by route, and print one table at the end'),
    all: flag('fold nothing'),
    events: flag('print decoded kernel events, too'),
    verdict: verdictOption,
    ...ruleOptions,
    ...outputOptions,
    'env-values': environmentOptions['env-values'],
    limit: count('N', 'end after so many results', 'n'),
    json: jsonOption,
  },
  examples: [
    { command: 'throughline replay attack.tlrec', help: 'its findings' },
    { command: 'throughline replay attack.tlrec --trace', help: 'and every request, as a tree' },
    { command: 'throughline replay attack.tlrec --status 5xx', help: 'and requests that failed' },
  ],
  async run(context, values, [file = '']) {
    const { console } = context;
    const rules = rulesFor(context, values);
    if (rules === null) return 1;
    const filter = filterOf(values);
    const isTracing = values.trace || values.summary || filter !== null;
    const printer = isTracing ? tracePrinter(console, values) : null;
    const countShown = limiter(values.limit);
    const observation = {
      source: { kind: 'recording', file },
      recordTo: null,
      wants: { findings: true, requests: isTracing, events: values.events },
      ...(filter === null ? {} : { filter }),
      ...rules,
      alerts: { file: values['alerts-file'], url: values['alerts-url'] },
      isJson: values.json,
      durationMs: null,
      ...environmentOf({ env: null, ...values }),
      next: [],
      showsProgress: true,
      onEnd: () => printer?.end() ?? '',
    } as const;
    return observe(context, observation, (message, stop) => {
      if (message.kind === 'finding' && !reaches(message, values.verdict)) return;
      show(message, printer, values.json, console);
      // What is counted into a table is no result of its own.
      if (
        !values.summary ||
        message.kind === 'alert' ||
        message.kind === 'finding' ||
        message.kind === 'event'
      )
        countShown(stop);
    });
  },
});

function show(
  message: ResultMessage,
  printer: TracePrinter | null,
  isJson: boolean,
  console: CliConsole,
): void {
  switch (message.kind) {
    case 'request':
    case 'orphan':
    case 'effect':
      printer?.add(message);
      break;
    case 'alert':
      if (isJson) console.json(message);
      else console.result(alertText(message, console.stdoutTerminal));
      break;
    case 'finding':
      if (isJson) console.json(message);
      else console.result(findingText(message, console.stdoutTerminal));
      break;
    case 'event':
      if (isJson) console.json(message);
      else console.result(eventText(message, console.stdoutTerminal));
      break;
    case 'loss':
      break;
  }
}
