import { positionalSyntax, type Command } from './command.ts';
import type { OptionSpec } from './option.ts';

/** Help texts, made from the commands' specs alone. */

const MAX_WIDTH = 100;
export const PRODUCT_LINE =
  'Follows every request through the kernel: what it made the machine do, whether that was an attack, whether it worked.';
export const GLOBAL_OPTIONS = [
  ['-h, --help', 'help; after a command: help on that command'],
  ['-V, --version', 'print the version'],
] as const;

export function overviewHelp(commands: readonly Command[]): string {
  return lines([
    'Usage: throughline COMMAND [OPTIONS]',
    '',
    ...wrapped(PRODUCT_LINE, 0),
    '',
    'Commands:',
    ...columns(commands.map((command) => [command.name, command.summary])),
    '',
    'Options:',
    ...columns(GLOBAL_OPTIONS),
    '',
    'More on a command: throughline COMMAND --help',
  ]);
}

/** The commands on one thing. */
export function groupHelp(group: string, commands: readonly Command[]): string {
  return lines([
    `Usage: throughline ${group} COMMAND [OPTIONS]`,
    '',
    'Commands:',
    ...columns(commands.map((command) => [command.name, command.summary])),
    '',
    `More on a command: throughline ${group} COMMAND --help`,
  ]);
}

export function commandHelp(command: Command): string {
  const help = [`Usage: ${usageOf(command)}`, ''];
  for (const paragraph of command.description) help.push(...wrapped(paragraph, 0), '');
  if (command.positionals.length > 0) {
    help.push('Arguments:', ...columns(command.positionals.map(({ name, help: text }) => [name, text])), '');
  }
  help.push('Options:', ...columns(optionRows(command)), '');
  if (command.examples.length > 0) {
    help.push('Examples:');
    for (const example of command.examples) help.push(`  # ${example.help}`, `  ${example.command}`);
  }
  return lines(help);
}

/** "throughline replay FILE [OPTIONS]" */
export function usageOf(command: Command): string {
  const required = command.options
    .filter(([, spec]) => spec.isRequired)
    .map(([name, spec]) => optionSyntax(name, spec).replace(/^.*, /, ''));
  const positionals = command.positionals.map(positionalSyntax);
  return ['throughline', command.name, ...positionals, ...required, '[OPTIONS]'].join(' ');
}

/** Syntax and explanation of every option, --help included. */
export function optionRows(command: Command): (readonly [syntax: string, text: string])[] {
  const rows = command.options.map(([name, spec]) => [optionSyntax(name, spec), optionText(spec)] as const);
  return [...rows, ['-h, --help', 'this help'] as const];
}

function optionSyntax(name: string, spec: OptionSpec<unknown>): string {
  const short = spec.short === null ? '' : `-${spec.short}, `;
  return `${short}--${name}${spec.placeholder === null ? '' : ` ${spec.placeholder}`}`;
}

function optionText(spec: OptionSpec<unknown>): string {
  if (spec.isRequired) return `${spec.help} (required)`;
  return spec.defaultText === null ? spec.help : `${spec.help} (default ${spec.defaultText})`;
}

function columns(rows: readonly (readonly [left: string, right: string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length)) + 4;
  return rows.flatMap(([left, right]) =>
    wrapped(right, width).map(
      (line, index) => (index === 0 ? `  ${left}`.padEnd(width) : ' '.repeat(width)) + line,
    ),
  );
}

/** Words of a paragraph on lines that leave room for an indentation. */
function wrapped(paragraph: string, indent: number): string[] {
  const result: string[] = [];
  let line = '';
  for (const word of paragraph.split(' ')) {
    if (line !== '' && indent + line.length + 1 + word.length > MAX_WIDTH) {
      result.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...result, line];
}

function lines(parts: readonly string[]): string {
  return parts.join('\n').trimEnd() + '\n';
}
