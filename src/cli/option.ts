/** The text of an option, and at which place of the command line it stands. */
export interface GivenText {
  readonly text: string;
  readonly at: number;
}

/** One option of a command: how it is written, explained and read. */
export interface OptionSpec<Value> {
  readonly short: string | null;
  /** Name of its value in the help; null for options without one. */
  readonly placeholder: string | null;
  readonly help: string;
  /** Default as the help names it; null where there is none worth a word. */
  readonly defaultText: string | null;
  readonly isRequired: boolean;
  /** It may be given several times; its texts come joined by commas. */
  readonly isRepeatable: boolean;
  /** Where it counts which of several options came first: reads all that were given, in place of `parse`. */
  readonly parseEach?: (given: readonly GivenText[]) => Value;
  /** The typed value. undefined: the option was not given. Throws an InvalidValueError that says what is wrong. */
  parse(text: string | undefined): Value;
}

export type OptionSpecs = Readonly<Record<string, OptionSpec<unknown>>>;
export type OptionValues<Specs extends OptionSpecs> = {
  readonly [Name in keyof Specs]: Specs[Name] extends OptionSpec<infer Value> ? Value : never;
};

/** What is wrong with a value, as a clause: "is not a number". */
export class InvalidValueError extends Error {
  override readonly name = 'InvalidValueError';
}

/** Longest delay that a timer takes (2^31 - 1 ms), in seconds. */
const MAX_DURATION_SECONDS = 2_147_483;

const base = {
  short: null,
  placeholder: null,
  defaultText: null,
  isRequired: false,
  isRepeatable: false,
} as const;

/** An option without a value. */
export function flag(help: string, short: string | null = null): OptionSpec<boolean> {
  return { ...base, short, help, parse: (text) => text !== undefined };
}

export function text(
  placeholder: string,
  help: string,
  short: string | null = null,
): OptionSpec<string | null> {
  return {
    ...base,
    short,
    placeholder,
    help,
    parse: (value) => (value === undefined ? null : nonEmpty(value)),
  };
}

export function requiredText(
  placeholder: string,
  help: string,
  short: string | null = null,
): OptionSpec<string> {
  return {
    ...base,
    short,
    placeholder,
    help,
    isRequired: true,
    parse(value) {
      if (value === undefined) throw new InvalidValueError('is required');
      return nonEmpty(value);
    },
  };
}

/** A whole number from 1. */
export function count(
  placeholder: string,
  help: string,
  short: string | null = null,
): OptionSpec<number | null> {
  return {
    ...base,
    short,
    placeholder,
    help,
    parse(value) {
      if (value === undefined) return null;
      const number = Number(value);
      if (!/^\d+$/.test(value) || number < 1 || !Number.isSafeInteger(number)) {
        throw new InvalidValueError(`must be a whole number from 1, not ${JSON.stringify(value)}`);
      }
      return number;
    },
  };
}

/** A time span in seconds, or with a unit: 90, 1.5, 10m, 2h. The value is in milliseconds. */
export function duration(help: string): OptionSpec<number | null> {
  return {
    ...base,
    placeholder: 'SECONDS',
    help,
    parse(value) {
      if (value === undefined) return null;
      const [, number, unit] = /^(\d+(?:\.\d+)?)([smh]?)$/.exec(value) ?? [];
      const seconds = Number(number) * (unit === 'h' ? 3600 : unit === 'm' ? 60 : 1);
      if (!(seconds > 0) || seconds > MAX_DURATION_SECONDS) {
        throw new InvalidValueError(`must be seconds, or like 10m or 2h, not ${JSON.stringify(value)}`);
      }
      return seconds * 1000;
    },
  };
}

/** One of several words, in any case. */
export function choice<const Word extends string, Default extends Word | null>(
  placeholder: string,
  words: readonly Word[],
  fallback: Default,
  help: string,
): OptionSpec<Word | Default> {
  return {
    ...base,
    placeholder,
    help: `${help}: ${words.join(', ')}`,
    defaultText: fallback,
    parse: (value) => (value === undefined ? fallback : oneOf(words, value)),
  };
}

/** Text of a form of its own. `read` gives the value, or throws an InvalidValueError. */
export function value<Value>(
  placeholder: string,
  help: string,
  read: (text: string) => Value,
): OptionSpec<Value | null> {
  return {
    ...base,
    placeholder,
    help,
    parse: (given) => (given === undefined ? null : read(nonEmpty(given))),
  };
}

/** Several values with commas between, or the option several times; null: not given. */
export function list<Value>(
  placeholder: string,
  help: string,
  read: (text: string) => Value,
): OptionSpec<readonly Value[] | null> {
  return {
    ...base,
    placeholder,
    help,
    isRepeatable: true,
    parse: (given) =>
      given === undefined ? null : given.split(',').map((one) => read(nonEmpty(one.trim()))),
  };
}

/** The option several times, each with a text as it is, commas and all. */
export function ordered(
  placeholder: string,
  help: string,
  short: string | null = null,
): OptionSpec<readonly GivenText[]> {
  return {
    ...base,
    short,
    placeholder,
    help,
    isRepeatable: true,
    parse: () => [],
    parseEach(given) {
      for (const { text: one } of given) nonEmpty(one);
      return given;
    },
  };
}

/** Several words with commas between; null: not given. */
export function choices<const Word extends string>(
  placeholder: string,
  words: readonly Word[],
  help: string,
): OptionSpec<ReadonlySet<Word> | null> {
  return {
    ...base,
    placeholder,
    help: `${help}: ${words.join(', ')}`,
    parse: (value) =>
      value === undefined ? null : new Set(value.split(',').map((word) => oneOf(words, word.trim()))),
  };
}

/** The word of a list that is meant, in any case. */
export function oneOf<Word extends string>(words: readonly Word[], value: string): Word {
  const found = words.find((word) => word.toLowerCase() === value.toLowerCase());
  if (found === undefined) {
    throw new InvalidValueError(`must be one of ${listText(words)}, not ${JSON.stringify(value)}`);
  }
  return found;
}

/** Of a long list only the beginning: the rest is in the reference. */
const LISTED_WORDS = 20;

function listText(words: readonly string[]): string {
  if (words.length <= LISTED_WORDS) return words.join(', ');
  return `${words.slice(0, LISTED_WORDS).join(', ')} and ${words.length - LISTED_WORDS} more`;
}

function nonEmpty(value: string): string {
  if (value === '') throw new InvalidValueError('must not be empty');
  return value;
}
