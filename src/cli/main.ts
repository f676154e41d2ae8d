import { jsonLine } from '../output/json.ts';
import type { Command } from './command.ts';
import { CliConsole } from './console.ts';
import type { CliEnvironment } from './environment.ts';
import { commandHelp, overviewHelp } from './help.ts';
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
      console.result(helpOn(rest[0]));
      return 0;
    default:
  }
  const command = findCommand(first);
  if (asksForHelp(rest)) {
    console.result(commandHelp(command));
    return 0;
  }
  return command.execute(rest, { engine: environment.engine, console, signal: environment.signal });
}

function helpOn(name: string | undefined): string {
  return name === undefined ? overviewHelp(COMMANDS) : commandHelp(findCommand(name));
}

function findCommand(name: string): Command {
  const command = COMMANDS.find((one) => one.name === name);
  if (command !== undefined) return command;
  const words = name.startsWith('-') ? ['--help', '--version'] : COMMANDS.map((one) => one.name);
  throw unknownWord(name, nearestWord(name, words));
}
