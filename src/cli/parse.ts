import { parseArgs, type ParseArgsConfig } from 'node:util';
import { ThroughlineError } from '../base/errors.ts';
import type { Command } from './command.ts';
import { InvalidValueError, type GivenText } from './option.ts';
import { nearestWord } from '../base/nearest-word.ts';

export interface ParsedArguments {
  readonly values: Readonly<Record<string, unknown>>;
  readonly positionals: readonly string[];
}

/** Reads the arguments of a command by its specs. Throws TL3001 for unknown options, TL3002 for bad values. */
export function parseArguments(command: Command, args: readonly string[]): ParsedArguments {
  const options = parserOptions(command);
  const given = refuseUnknownOptions(command, args, options);
  const { values: texts, positionals } = parseStrictly(args, options);
  const values: Record<string, unknown> = {};
  for (const [name, spec] of command.options) {
    const value = texts[name];
    const text = typeof value === 'object' ? value.join(',') : value === true ? '' : value;
    try {
      values[name] = spec.parseEach?.(given.get(name) ?? []) ?? spec.parse(text);
    } catch (error) {
      if (error instanceof InvalidValueError) throw wrongValue(`--${name} ${error.message}`, error);
      throw error;
    }
  }
  checkPositionals(command, positionals);
  return { values, positionals };
}

/** Whether the arguments ask for help instead: --help or -h before a "--". */
export function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  const own = end < 0 ? args : args.slice(0, end);
  return own.includes('--help') || own.includes('-h');
}

/** "unknown command or option: --jsn; did you mean --json?" */
export function unknownWord(word: string, nearest: string | null): ThroughlineError {
  return new ThroughlineError('TL3001', nearest === null ? word : `${word}; did you mean ${nearest}?`);
}

type ParserOptions = NonNullable<ParseArgsConfig['options']>;

function parserOptions(command: Command): ParserOptions {
  return Object.fromEntries(
    command.options.map(([name, spec]) => {
      const type = spec.placeholder === null ? 'boolean' : 'string';
      const multiple = spec.isRepeatable;
      return [name, spec.short === null ? { type, multiple } : { type, multiple, short: spec.short }];
    }),
  );
}

type ParsedValues = Record<string, string | readonly string[] | true | undefined>;

/** @returns the texts that were given to each option */
function refuseUnknownOptions(
  command: Command,
  args: readonly string[],
  options: ParserOptions,
): ReadonlyMap<string, readonly GivenText[]> {
  const { tokens } = parseArgs({
    args: [...args],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const names = [...command.options.map(([name]) => name), 'help'];
  const given = new Map<string, GivenText[]>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    if (names.includes(token.name)) {
      const texts = given.get(token.name) ?? [];
      given.set(token.name, [...texts, { text: token.value ?? '', at: token.index }]);
      continue;
    }
    const nearest = token.rawName.startsWith('--') ? nearestWord(token.name, names) : null;
    throw unknownWord(token.rawName, nearest === null ? null : `--${nearest}`);
  }
  return given;
}

function parseStrictly(
  args: readonly string[],
  options: ParserOptions,
): { values: ParsedValues; positionals: readonly string[] } {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options,
      strict: true,
      allowPositionals: true,
    });
    return { values: values as ParsedValues, positionals };
  } catch (error) {
    // Its message is for people: "Option '--limit <value>' argument missing".
    throw wrongValue(error instanceof Error ? (error.message.split('\n')[0] ?? '') : '', error);
  }
}

function checkPositionals(command: Command, positionals: readonly string[]): void {
  const missing = command.positionals[positionals.length];
  if (missing !== undefined && missing.isOptional !== true) throw wrongValue(`${missing.name} is missing`);
  if (command.positionals.at(-1)?.isRepeated === true) return;
  const extra = positionals[command.positionals.length];
  if (extra !== undefined) throw unknownWord(extra, null);
}

function wrongValue(detail: string, cause?: unknown): ThroughlineError {
  return new ThroughlineError('TL3002', detail, { cause });
}
