import type { CliConsole } from './console.ts';
import type { Engine } from './contract.ts';
import type { OptionSpec, OptionSpecs, OptionValues } from './option.ts';
import { parseArguments } from './parse.ts';
import type { RuleGround } from './rules/rule-ground.ts';

/** What a command gets to do its work. */
export interface CommandContext {
  readonly engine: Engine;
  readonly console: CliConsole;
  /** Aborts when the user wants it to end. */
  readonly signal: AbortSignal;
  /** The text of a rule file. Throws TL4001. */
  readonly readRules: (path: string) => string;
  readonly ruleGround: RuleGround;
}

export interface PositionalSpec {
  /** In capitals, as the help shows it. */
  readonly name: string;
  readonly help: string;
  /** There may be several; of the last one only. */
  readonly isRepeated?: true;
  /** There may be none; of the last one only. */
  readonly isOptional?: true;
}

export interface Example {
  readonly command: string;
  readonly help: string;
}

/** "FILE...", "[FILE...]" */
export function positionalSyntax({ name, isRepeated, isOptional }: PositionalSpec): string {
  const syntax = isRepeated === true ? `${name}...` : name;
  return isOptional === true ? `[${syntax}]` : syntax;
}

interface CommandDescription {
  /** One word, or two for one of several commands on one thing: "rules check". */
  readonly name: string;
  /** Half a line, in lower case: follows the name in the list of commands. */
  readonly summary: string;
  /** Whole sentences, paragraphs. */
  readonly description: readonly string[];
  readonly positionals: readonly PositionalSpec[];
  readonly examples: readonly Example[];
}

/** A command as the registry, the help and the reference see it. */
export interface Command extends CommandDescription {
  readonly options: readonly (readonly [name: string, spec: OptionSpec<unknown>])[];
  /** Reads the arguments after the command's name and runs it. Resolves to the exit code. */
  execute(args: readonly string[], context: CommandContext): Promise<number>;
}

interface CommandDefinition<Specs extends OptionSpecs> extends CommandDescription {
  readonly options: Specs;
  /** Resolves to the exit code of the program. */
  readonly run: (
    context: CommandContext,
    values: OptionValues<Specs>,
    positionals: readonly string[],
  ) => Promise<number>;
}

/** Every option's type follows from its spec. */
export function defineCommand<const Specs extends OptionSpecs>(
  definition: CommandDefinition<Specs>,
): Command {
  const { options, run, ...description } = definition;
  const command: Command = {
    ...description,
    options: Object.entries(options),
    async execute(args, context) {
      const { values, positionals } = parseArguments(command, args);
      return run(context, values as OptionValues<Specs>, positionals);
    },
  };
  return command;
}
