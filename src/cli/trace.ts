import { defineCommand } from './command.ts';
import {
  disabledBy,
  durationOption,
  jsonOption,
  probeOptions,
  runtimeOption,
  runtimesOf,
} from './common-options.ts';
import { filterOf, filterOptions } from './filter-options.ts';
import { limiter, observe } from './observation.ts';
import { count, flag } from './option.ts';
import { tracePrinter } from './trace-printer.ts';

export const traceCommand = defineCommand({
  name: 'trace',
  summary: 'print every finished request with the tree of what it did',
  description: [
    'strace for requests: one line for each request, and below it the programs that it started with how long they ran and how they ended, the files that were opened, the connections that were made and what was asked of databases, as a tree.',
    'Effects are marked with how their request is known, unless it is certain: [linked] an asynchronous hand-over was seen, [matched] bytes of exactly one request stand in the effect. What a request did after its tree was printed follows as "later". Effects of request-serving processes that could not be placed follow below the requests that may have caused them: [ambiguous].',
    'Equal effects, runs of files, libraries that a program reads while it starts and other routine are folded; --all shows each. Options that choose requests must all hold; an effect that could not be placed is shown where one of its candidates is chosen, or would be with it.',
    'With --summary one table at the end: requests by route (numbers and random identifiers in paths become :id), how long they took, what they did, and how much of it is certain. Needs root. Ctrl-C ends it cleanly.',
  ],
  positionals: [],
  options: {
    ...filterOptions,
    summary: flag('count by route, and print one table at the end'),
    all: flag('fold nothing'),
    limit: count('N', 'end after so many requests', 'n'),
    duration: durationOption,
    ...probeOptions,
    'container-runtime': runtimeOption,
    json: jsonOption,
  },
  examples: [
    { command: 'sudo throughline trace', help: 'everything' },
    {
      command: 'sudo throughline trace --has exec --has write',
      help: 'requests that started programs and wrote files',
    },
    {
      command: "sudo throughline trace --path '/users/*/orders' --status 5xx",
      help: 'failures of one route',
    },
    { command: 'sudo throughline trace --min-duration 500', help: 'what slow requests did' },
    {
      command: 'sudo throughline trace --path /api/ -n 1 --json',
      help: 'the next request to the API, as JSON',
    },
    { command: 'sudo throughline trace --summary --duration 1m', help: 'what one minute was spent on' },
  ],
  async run(context, values) {
    const { console } = context;
    const printer = tracePrinter(console, values);
    const filter = filterOf(values);
    const countShown = limiter(values.limit);
    const what = filter === null ? 'Requests' : 'The chosen requests';
    const observation = {
      source: { kind: 'live' },
      recordTo: null,
      wants: { findings: false, requests: true, events: false },
      ...(filter === null ? {} : { filter }),
      isJson: values.json,
      durationMs: values.duration,
      ...disabledBy(values),
      ...runtimesOf(values),
      next: [
        values.summary
          ? `${what} are counted; Ctrl-C ends and prints the table.`
          : `${what} appear here when they are finished; Ctrl-C ends.`,
      ],
      onTick: () => printer.tick(),
      onEnd: () => printer.end(),
    } as const;
    return observe(context, observation, (message, stop) => {
      if (message.kind !== 'request' && message.kind !== 'orphan' && message.kind !== 'effect') return;
      printer.add(message);
      if (message.kind === 'request') countShown(stop);
    });
  },
});
