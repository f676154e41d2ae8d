import { findingText } from '../output/text/finding-text.ts';
import { outputOptions, ruleOptions, rulesFor } from './alerts/alert-options.ts';
import { alertText } from './alerts/alert-text.ts';
import { defineCommand } from './command.ts';
import {
  disabledBy,
  durationOption,
  environmentOf,
  environmentOptions,
  jsonOption,
  probeOptions,
  reaches,
  runtimeOption,
  runtimesOf,
  verdictOption,
} from './common-options.ts';
import { observe } from './observation.ts';
import { text } from './option.ts';

export const runCommand = defineCommand({
  name: 'run',
  summary: 'observe this host and print findings and alerts',
  description: [
    'Attaches to the kernel, follows every request through the processes of this host, and prints what looks like an attack, with a verdict on whether it worked. It observes only: nothing is blocked.',
    'EXPLOITED: bytes of the request changed what the machine was told to do, and it did it. SUSPICIOUS: an unusual effect, without that proof. PROBED: an attempt without any effect.',
    'Rules raise alerts beside the findings. Rule files that change are in force within two seconds, or at once on SIGHUP where the process has no terminal; files with errors are told, and the rules before stay in force.',
    'Needs root. Ctrl-C ends it cleanly.',
  ],
  positionals: [],
  options: {
    verdict: verdictOption,
    record: text('FILE', 'also record everything that was captured, for replay'),
    duration: durationOption,
    ...ruleOptions,
    ...outputOptions,
    ...environmentOptions,
    ...probeOptions,
    'container-runtime': runtimeOption,
    json: jsonOption,
  },
  examples: [
    { command: 'sudo throughline run', help: 'observe until Ctrl-C' },
    { command: 'sudo throughline run --verdict suspicious', help: 'only what had an effect' },
    { command: 'sudo throughline run --json >> findings.jsonl', help: 'for a log shipper' },
    {
      command: 'sudo throughline run --rules my-rules/ --alerts-url http://127.0.0.1:2801/',
      help: 'own rules, for what listens for alerts of Falco',
    },
  ],
  async run(context, values) {
    const { console } = context;
    const rules = rulesFor(context, values);
    if (rules === null) return 1;
    const observation = {
      source: { kind: 'live' },
      recordTo: values.record,
      wants: { findings: true, requests: false, events: false },
      ...rules,
      alerts: { file: values['alerts-file'], url: values['alerts-url'] },
      isJson: values.json,
      durationMs: values.duration,
      ...environmentOf(values),
      ...disabledBy(values),
      ...runtimesOf(values),
      next: [
        'Findings appear here; Ctrl-C ends.',
        '  every request and what it did:  throughline trace  (as root, in another terminal)',
        '  see an attack:                  make demo',
      ],
    } as const;
    return observe(context, observation, (message) => {
      if (message.kind === 'alert') {
        if (values.json) console.json(message);
        else console.result(alertText(message, console.stdoutTerminal));
      }
      if (message.kind !== 'finding' || !reaches(message, values.verdict)) return;
      if (values.json) console.json(message);
      else console.result(findingText(message, console.stdoutTerminal));
    });
  },
});
