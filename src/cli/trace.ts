import { isLibraryFile } from '../output/text/library-files.ts';
import { lateEffectText, orphanText, requestTreeText } from '../output/text/request-text.ts';
import { defineCommand } from './command.ts';
import { durationOption, jsonOption } from './common-options.ts';
import { limiter, observe } from './observation.ts';
import { choice, count, flag, text } from './option.ts';
import { TraceFilter } from './trace-filter.ts';

export const traceCommand = defineCommand({
  name: 'trace',
  summary: 'print every finished request with the tree of what it did',
  description: [
    'strace for requests: one line for each request, and below it the programs that it started, the files that they opened, the connections that they made, as a tree.',
    'Effects are marked with how their request is known, unless it is certain: [linked] an asynchronous hand-over was seen, [matched] bytes of exactly one request stand in the effect. Effects of request-serving processes that could not be placed are printed as lines of their own, [ambiguous] with the requests that were possible.',
    'Libraries that a program reads while it starts are folded into one line. Needs root. Ctrl-C ends it cleanly.',
  ],
  positionals: [],
  options: {
    path: text('PREFIX', 'only requests whose target begins so'),
    pid: count('PID', 'only requests that this process served'),
    container: text('ID', 'only requests in this container; the beginning of its id is enough'),
    has: choice('TYPE', ['exec', 'open', 'connect'], null, 'only requests with such an effect'),
    all: flag('show library files too'),
    limit: count('N', 'end after so many requests', 'n'),
    duration: durationOption,
    json: jsonOption,
  },
  examples: [
    { command: 'sudo throughline trace', help: 'everything' },
    { command: 'sudo throughline trace --has exec', help: 'requests that started programs' },
    {
      command: 'sudo throughline trace --path /api/ -n 1 --json',
      help: 'the next request to the API, as JSON',
    },
  ],
  async run(context, values) {
    const { console } = context;
    const terminal = console.stdoutTerminal;
    const filter = new TraceFilter(values);
    const countShown = limiter(values.limit);
    const observation = {
      source: { kind: 'live' },
      recordTo: null,
      wants: { findings: false, requests: true, events: false },
      isJson: values.json,
      durationMs: values.duration,
      next: ['Requests appear here when they are finished; Ctrl-C ends.'],
    } as const;
    return observe(context, observation, (message, stop) => {
      switch (message.kind) {
        case 'request':
          if (!filter.acceptsRequest(message)) return;
          if (values.json) console.json(message);
          else console.result(requestTreeText(message, terminal, { showsAll: values.all }));
          countShown(stop);
          break;
        case 'orphan':
          if (!filter.acceptsOrphan(message)) return;
          if (values.json) console.json(message);
          else if (values.all || !isLibraryFile(message.effect))
            console.result(orphanText(message, terminal));
          break;
        case 'effect':
          if (!filter.acceptsLateEffect(message)) return;
          if (values.json) console.json(message);
          else if (values.all || !isLibraryFile(message.effect))
            console.result(lateEffectText(message, terminal));
          break;
        default:
          break;
      }
    });
  },
});
