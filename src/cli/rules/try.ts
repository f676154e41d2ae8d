import { ThroughlineError } from '../../base/errors.ts';
import { eventText } from '../../output/text/event-text.ts';
import { defineCommand } from '../command.ts';
import { jsonOption } from '../common-options.ts';
import { limiter, observe } from '../observation.ts';
import { count, InvalidValueError } from '../option.ts';
import { readFilter, warnOfFilter } from './filter-option.ts';

export const tryCommand = defineCommand({
  name: 'rules try',
  summary: 'print the events of a recording of which a condition is true',
  description: [
    'Plays a recording, without root, and prints the events of which a condition of the rule language is true. The condition has no lists and macros; whole rules, also those over several events, are tried with "replay --rules".',
  ],
  positionals: [
    { name: 'CONDITION', help: "a condition, such as 'evt.type = execve and http.method exists'" },
    { name: 'FILE', help: 'a recording, made by "record" or "run --record"' },
  ],
  options: { limit: count('N', 'end after so many events', 'n'), json: jsonOption },
  examples: [
    {
      command: "throughline rules try 'evt.type = execve and http.method exists' attack.tlrec",
      help: 'programs that requests started',
    },
  ],
  async run(context, values, [condition = '', file = '']) {
    const { console } = context;
    const countShown = limiter(values.limit);
    const observation = {
      source: { kind: 'recording', file },
      recordTo: null,
      wants: { findings: false, requests: false, events: true },
      eventFilter: checked(condition),
      isJson: values.json,
      durationMs: null,
      next: [],
      showsProgress: true,
    } as const;
    warnOfFilter(console, condition);
    return observe(context, observation, (message, stop) => {
      if (message.kind !== 'event') return;
      if (values.json) console.json(message);
      else console.result(eventText(message, console.stdoutTerminal));
      countShown(stop);
    });
  },
});

function checked(condition: string): string {
  try {
    return readFilter(condition);
  } catch (error) {
    if (error instanceof InvalidValueError)
      throw new ThroughlineError('TL3002', `CONDITION ${error.message}`, { cause: error });
    throw error;
  }
}
