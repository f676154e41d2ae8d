import { positionalSyntax, type Command } from '../../src/cli/command.ts';
import { GLOBAL_OPTIONS, optionRows, PRODUCT_LINE, usageOf } from '../../src/cli/help.ts';
import { COMMANDS } from '../../src/cli/registry.ts';
import { generatedNote, markdownTable } from './markdown.ts';

/** docs/reference/cli.md */
export function generateCliReference(): string {
  const overview = COMMANDS.map(({ name, summary }) => [`[${name}](#${name.replaceAll(' ', '-')})`, summary]);
  const parts = [
    generatedNote('src/cli/*.ts'),
    '# Command line',
    PRODUCT_LINE,
    '```\nthroughline COMMAND [OPTIONS]\n```',
    markdownTable(['command', ''], overview),
    markdownTable(
      ['option', ''],
      GLOBAL_OPTIONS.map(([syntax, help]) => [code(syntax), help]),
    ),
    [
      'Results go to stdout, notices (what is attached, losses, the summary) to stderr. With `--json` stdout holds one JSON',
      'object a line and nothing else; `kind` says what it is, and [src/output/views.ts](../../src/output/views.ts) holds',
      'every field. Text follows `NO_COLOR`, `FORCE_COLOR` (0 to 3), `COLORTERM`, `TERM` and the locale: no colors where',
      'stdout is no terminal, ASCII where the locale is not UTF-8, no line of a trace wider than the terminal.',
    ].join('\n'),
    [
      'The exit code is 0 for every clean end: Ctrl-C, `--duration`, `--limit` and a closed pipe are. A second Ctrl-C ends at',
      'once with 130. Errors have the exit code of [the catalogue](errors.md).',
    ].join('\n'),
    ...COMMANDS.flatMap(commandParts),
  ];
  return parts.join('\n\n') + '\n';
}

function commandParts(command: Command): string[] {
  const parts = [`## ${command.name}`, '```\n' + usageOf(command) + '\n```', ...command.description];
  if (command.positionals.length > 0) {
    const rows = command.positionals.map((positional) => [
      code(positionalSyntax(positional)),
      positional.help,
    ]);
    parts.push(markdownTable(['argument', ''], rows));
  }
  const rows = optionRows(command).map(([syntax, help]) => [code(syntax), help]);
  parts.push(markdownTable(['option', ''], rows));
  const examples = command.examples.map((example) => `# ${example.help}\n${example.command}`);
  parts.push('```sh\n' + examples.join('\n\n') + '\n```');
  return parts;
}

function code(text: string): string {
  return '`' + text + '`';
}
