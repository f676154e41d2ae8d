import type { KernelEventKind } from '../model/event.ts';
import { eventText } from '../output/text/event-text.ts';
import type { EventView } from '../output/views.ts';
import { ACTION_LIST } from '../model/actions.ts';
import { defineCommand } from './command.ts';
import {
  durationOption,
  environmentOf,
  environmentOptions,
  hashOption,
  jsonOption,
  runtimeOption,
  runtimesOf,
} from './common-options.ts';
import { limiter, observe } from './observation.ts';
import { choices, count } from './option.ts';
import { filterOption, warnOfFilter } from './rules/filter-option.ts';

const EVENT_TYPES = [
  'exec',
  'fork',
  'exit',
  'accept',
  'connect',
  'datagram',
  'tcp',
  'close',
  'work',
  'payload',
  'open',
  'action',
] as const satisfies readonly KernelEventKind[];

/** An event's type, or the name of an action. */
const TYPES = [...EVENT_TYPES, ...ACTION_LIST.map(({ name }) => name)] as const;

function isWanted(event: EventView, types: ReadonlySet<(typeof TYPES)[number]>): boolean {
  return types.has(event.type) || (event.type === 'action' && types.has(event.action));
}

export const eventsCommand = defineCommand({
  name: 'events',
  summary: 'print decoded kernel events',
  description: [
    'What the kernel side reports, before anything is concluded from it: one line for each event. Credentials in the previews of traffic are masked.',
    'With --filter only those events are shown of which a condition of the rule language is true, see "throughline rules fields": programs that start and end, files, connections, questions, requests and replies.',
    'Needs root. Ctrl-C ends it cleanly.',
  ],
  positionals: [],
  options: {
    type: choices('LIST', TYPES, 'only these, with commas between: see docs/reference/events.md'),
    pid: count('PID', 'only events of this process'),
    filter: filterOption,
    limit: count('N', 'end after so many events', 'n'),
    duration: durationOption,
    ...environmentOptions,
    hash: hashOption,
    'container-runtime': runtimeOption,
    json: jsonOption,
  },
  examples: [
    { command: 'sudo throughline events --type exec,exit', help: 'programs that start and end' },
    { command: 'sudo throughline events --pid 4211 --json', help: 'all of one process, as JSON' },
    {
      command: "sudo throughline events --filter 'proc.pname = nginx and evt.type = execve'",
      help: 'what the rule language says of them',
    },
  ],
  async run(context, values) {
    const { console } = context;
    if (values.filter !== null) warnOfFilter(console, values.filter);
    const countShown = limiter(values.limit);
    const observation = {
      source: { kind: 'live' },
      recordTo: null,
      wants: { findings: false, requests: false, events: true },
      ...(values.filter === null ? {} : { eventFilter: values.filter }),
      isJson: values.json,
      ...(values.type !== null && { eventTypes: [...values.type] }),
      durationMs: values.duration,
      ...environmentOf(values),
      hashesPrograms: values.hash,
      ...runtimesOf(values),
      next: ['Events appear here; Ctrl-C ends.'],
    } as const;
    return observe(context, observation, (message, stop) => {
      if (message.kind !== 'event') return;
      if (values.type !== null && !isWanted(message, values.type)) return;
      if (values.pid !== null && message.pid !== values.pid) return;
      if (values.json) console.json(message);
      else console.result(eventText(message, console.stdoutTerminal));
      countShown(stop);
    });
  },
});
