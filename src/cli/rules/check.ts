import { defineCommand } from '../command.ts';
import { flag } from '../option.ts';
import { FILES, loadFiles } from './load-files.ts';
import { reportText } from './problem-text.ts';

export const checkCommand = defineCommand({
  name: 'rules check',
  summary: 'say what is wrong with rule files',
  description: [
    'Loads rule files, and those in folders, as one whole and prints what they hold, their errors and their warnings, each with its line and column. Files of rules for Falco are read as they are.',
    'Exit code 0 when all is right, 1 when there is an error. Rules that ask for what no event tells yet are warnings: they are loaded, and do not fire. So are rules that want a response: they are told with their alerts, and nothing acts on it.',
  ],
  positionals: [FILES],
  options: {
    strict: flag('rules that ask for what no event tells yet are errors'),
    json: flag('print one JSON object, for programs'),
  },
  examples: [
    { command: 'throughline rules check my-rules.yaml', help: 'one file' },
    {
      command: 'throughline rules check --json base.yaml local.yaml',
      help: 'a file and its changes, as JSON',
    },
  ],
  async run(context, values, paths) {
    const loaded = await loadFiles(context, paths, values.strict);
    if (values.json) context.console.json({ files: loaded.files, loaded: loaded.rules.length });
    else context.console.result(reportText(loaded));
    return loaded.hasErrors ? 1 : 0;
  },
});
