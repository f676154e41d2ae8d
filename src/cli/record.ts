import { defineCommand } from './command.ts';
import {
  disabledBy,
  durationOption,
  environmentOf,
  environmentOptions,
  hashOption,
  jsonOption,
  probeOptions,
  runtimeOption,
  runtimesOf,
} from './common-options.ts';
import { observe } from './observation.ts';
import { requiredText } from './option.ts';

export const recordCommand = defineCommand({
  name: 'record',
  summary: 'record what the kernel reports, for replay',
  description: [
    'Writes everything that is captured to a file. "throughline replay" runs the whole analysis on it, without root, on any machine: for bug reports, for tests, for a second look.',
    'A recording holds the beginnings of requests and replies as they were sent, credentials included: treat it like a memory dump.',
    'Needs root. Ctrl-C ends it cleanly.',
  ],
  positionals: [],
  options: {
    output: requiredText('FILE', 'where to; an existing file is replaced', 'o'),
    duration: durationOption,
    ...probeOptions,
    ...environmentOptions,
    hash: hashOption,
    'container-runtime': runtimeOption,
    json: jsonOption,
  },
  examples: [
    { command: 'sudo throughline record -o attack.tlrec', help: 'record until Ctrl-C' },
    { command: 'sudo throughline record -o minute.tlrec --duration 60', help: 'record one minute' },
  ],
  async run(context, values) {
    const observation = {
      source: { kind: 'live' },
      recordTo: values.output,
      wants: { findings: false, requests: false, events: false },
      isJson: values.json,
      durationMs: values.duration,
      ...environmentOf(values),
      hashesPrograms: values.hash,
      ...disabledBy(values),
      ...runtimesOf(values),
      next: ['Recording; Ctrl-C ends.'],
      showsProgress: true,
    } as const;
    return observe(context, observation, () => {});
  },
});
