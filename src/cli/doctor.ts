import { defineCommand } from './command.ts';
import { jsonOption, runtimesOf, runtimeOption } from './common-options.ts';
import { doctorText } from './doctor-text.ts';

export const doctorCommand = defineCommand({
  name: 'doctor',
  summary: 'say what this host supports and what would be attached',
  description: [
    'Tries the kernel features that Throughline can use, and prints what it found, what it would attach and why, the versions of what it builds on, and what is in the way.',
    'Exit code 0 when Throughline can run here, 1 when it cannot. Without root much of it is inconclusive.',
  ],
  positionals: [],
  options: { 'container-runtime': runtimeOption, json: jsonOption },
  examples: [{ command: 'sudo throughline doctor', help: 'the whole report' }],
  async run({ engine, console }, values) {
    const report = await engine.examine(runtimesOf(values));
    if (values.json) console.json(report);
    else console.result(doctorText(report, console.stdoutTerminal));
    return report.ok ? 0 : 1;
  },
});
