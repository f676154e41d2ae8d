import { printableText } from '../../base/printable.ts';
import { ThroughlineError } from '../../base/errors.ts';
import type { ImportedRule } from '../../rules/sigma/convert.ts';
import { defineCommand } from '../command.ts';
import { flag, text } from '../option.ts';
import { listForeignFiles, readForeignFile, writeRules } from './foreign-files.ts';

export const importCommand = defineCommand({
  name: 'rules import',
  summary: 'convert rules of another format: sigma',
  description: [
    'Converts Sigma rules on processes, files, connections, questions of DNS and records of auditd into rules of this program, and prints them. Of each rule that cannot be converted it says why, on stderr: nothing of a rule is left out silently. docs/SIGMA.md says what becomes of what.',
    'Exit code 0 when all rules were converted, 1 when some were not, also because they are for another system.',
  ],
  positionals: [
    { name: 'FORMAT', help: 'sigma' },
    { name: 'PATH', help: 'files, or folders with all that is below them', isRepeated: true },
  ],
  options: {
    output: text(
      'FILE',
      'write the rules to this file and print the report; an existing one is replaced',
      'o',
    ),
    json: flag('print one JSON object instead: what became of each rule, and its text'),
  },
  examples: [
    {
      command: 'throughline rules import sigma rules/linux -o linux.yaml',
      help: 'all of a folder, into one file',
    },
    { command: 'throughline rules import sigma shell.yml | less', help: 'one file' },
  ],
  async run({ console }, values, [format, ...paths]) {
    if (format !== 'sigma') throw new ThroughlineError('TL3002', `FORMAT must be sigma, not ${format ?? ''}`);
    if (paths.length === 0) throw new ThroughlineError('TL3002', 'PATH is missing');
    // Few runs need it.
    const { importSigma } = await import('../../rules/sigma/convert.ts');
    const { MAX_FILE_LENGTH } = await import('../../rules/sigma/yaml-value.ts');
    const files = listForeignFiles(paths).map((path) => readForeignFile(path, MAX_FILE_LENGTH));
    const { rules, yaml } = importSigma(files);
    const converted = rules.filter((rule) => rule.yaml !== null).length;
    const counts = { converted, refused: rules.length - converted };
    if (values.output !== null) writeRules(values.output, yaml);
    if (values.json) {
      console.json({ ...counts, rules });
    } else {
      const report = [
        ...rules.flatMap(reportLines),
        `${counts.converted} rules converted, ${counts.refused} not`,
      ];
      const shown = report.map((line) => `${printableText(line, 1000)}\n`).join('');
      if (values.output === null) console.result(yaml);
      if (values.output === null) console.notice(shown);
      else console.result(shown);
    }
    return counts.refused === 0 ? 0 : 1;
  },
});

function reportLines({ file, line, title, rule, problems, notes }: ImportedRule): readonly string[] {
  const name = title === null ? '' : ` ${title}`;
  const said = rule === null ? problems : notes;
  if (said.length === 0) return [];
  return [
    `${file}:${line}:${name}: ${rule === null ? 'not converted' : 'converted'}`,
    ...said.map(({ line: at, code, message }) => `  ${at}: ${code}: ${message}`),
  ];
}
