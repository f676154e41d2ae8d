import { jsonLine } from '../output/json.ts';
import type { Command } from './command.ts';
import { CliConsole } from './console.ts';
import type { CliEnvironment } from './environment.ts';
import { commandHelp, groupHelp, overviewHelp } from './help.ts';
import { errorNotice, errorView, exitCodeOf } from './notices.ts';
import { asksForHelp, unknownWord } from './parse.ts';
import { COMMANDS } from './registry.ts';
import { nearestWord } from '../base/nearest-word.ts';

const EXIT_USAGE = 64;

/**
 * The command line. Never rejects.
 *
 * @param argv the arguments after the program's name
 * @returns exit code: 0 for a clean end (Ctrl-C and a closed pipe are), else that of the error catalogue
 */
export async function main(argv: readonly string[], environment: CliEnvironment): Promise<number> {
  const console = new CliConsole(environment);
  try {
    return await dispatch(argv, environment, console);
  } catch (error) {
    if (console.closed.aborted) return 0;
    console.notice(errorNotice(error, console.stderrTerminal));
    if (argv.includes('--json')) console.notice(jsonLine(errorView(error)));
    return exitCodeOf(error);
  }
}

async function dispatch(
  argv: readonly string[],
  environment: CliEnvironment,
  console: CliConsole,
): Promise<number> {
  const [first, ...rest] = argv;
  switch (first) {
    case undefined:
      console.notice(overviewHelp(COMMANDS));
      return EXIT_USAGE;
    case '--version':
    case '-V':
      console.result(`throughline ${environment.version}\n`);
      return 0;
    case '--help':
    case '-h':
    case 'help':
      console.result(helpOn(rest));
      return 0;
    default:
  }
  const group = groupOf(first);
  if (group.length > 0 && (rest.length === 0 || asksForHelp(rest.slice(0, 1)))) {
    if (rest.length > 0) console.result(groupHelp(first, group));
    else console.notice(groupHelp(first, group));
    return rest.length > 0 ? 0 : EXIT_USAGE;
  }
  const { command, args } = findCommand(argv);
  if (asksForHelp(args)) {
    console.result(commandHelp(command));
    return 0;
  }
  const { engine, signal, readRules, ruleGround } = environment;
  return command.execute(args, { engine, console, signal, readRules, ruleGround });
}

function helpOn(words: readonly string[]): string {
  const [first] = words;
  if (first === undefined) return overviewHelp(COMMANDS);
  const group = groupOf(first);
  return group.length > 0 && words.length === 1
    ? groupHelp(first, group)
    : commandHelp(findCommand(words).command);
}

/** The commands that begin with this word and have a second one. */
function groupOf(word: string): readonly Command[] {
  return COMMANDS.filter(({ name }) => name.startsWith(`${word} `));
}

/** The command that the first word or two name, and what follows them. */
function findCommand(argv: readonly string[]): { command: Command; args: readonly string[] } {
  const [first = '', second = ''] = argv;
  for (const words of [1, 2]) {
    const name = argv.slice(0, words).join(' ');
    const command = COMMANDS.find((one) => one.name === name);
    if (command !== undefined) return { command, args: argv.slice(words) };
  }
  const group = groupOf(first);
  if (group.length > 0) {
    const names = group.map(({ name }) => name.slice(first.length + 1));
    throw unknownWord(`${first} ${second}`, nearestWord(second, names));
  }
  const words = first.startsWith('-')
    ? ['--help', '--version']
    : COMMANDS.map(({ name }) => name.split(' ')[0] ?? name);
  throw unknownWord(first, nearestWord(first, words));
}
