import { eventText } from '../output/text/event-text.ts';
import { findingText } from '../output/text/finding-text.ts';
import { isLibraryFile } from '../output/text/library-files.ts';
import { lateEffectText, orphanText, requestTreeText } from '../output/text/request-text.ts';
import type { Terminal } from '../output/text/terminal.ts';
import { defineCommand } from './command.ts';
import { jsonOption, reaches, verdictOption } from './common-options.ts';
import { limiter, observe, type ResultMessage } from './observation.ts';
import { count, flag } from './option.ts';

export const replayCommand = defineCommand({
  name: 'replay',
  summary: 'analyse a recording, without root',
  description: [
    'Runs the whole analysis on a recording and gives the same findings as it gave, or would have given, live.',
  ],
  positionals: [{ name: 'FILE', help: 'a recording, made by "record" or "run --record"' }],
  options: {
    trace: flag('print requests with what they did, too'),
    events: flag('print decoded kernel events, too'),
    verdict: verdictOption,
    limit: count('N', 'end after so many results', 'n'),
    json: jsonOption,
  },
  examples: [
    { command: 'throughline replay attack.tlrec', help: 'its findings' },
    { command: 'throughline replay attack.tlrec --trace', help: 'and every request, as a tree' },
  ],
  async run(context, values, [file = '']) {
    const { console } = context;
    const countShown = limiter(values.limit);
    const observation = {
      source: { kind: 'recording', file },
      recordTo: null,
      wants: { findings: true, requests: values.trace, events: values.events },
      isJson: values.json,
      durationMs: null,
      next: [],
      showsProgress: true,
    } as const;
    return observe(context, observation, (message, stop) => {
      if (message.kind === 'finding' && !reaches(message, values.verdict)) return;
      if (values.json) {
        console.json(message);
      } else {
        const text = resultText(message, console.stdoutTerminal);
        if (text === '') return;
        console.result(text);
      }
      countShown(stop);
    });
  },
});

/** Text of any result; '' for what is folded. */
function resultText(message: ResultMessage, terminal: Terminal): string {
  switch (message.kind) {
    case 'finding':
      return findingText(message, terminal);
    case 'request':
      return requestTreeText(message, terminal, { showsAll: false });
    case 'orphan':
      return isLibraryFile(message.effect) ? '' : orphanText(message, terminal);
    case 'effect':
      return isLibraryFile(message.effect) ? '' : lateEffectText(message, terminal);
    case 'event':
      return eventText(message, terminal);
    case 'loss':
      return '';
  }
}
