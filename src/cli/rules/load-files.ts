import { ThroughlineError } from '../../base/errors.ts';
import type { LoadedRules } from '../../rules/load/load-rules.ts';
import { RuleSource } from '../../rules/text.ts';
import type { CommandContext } from '../command.ts';
import { problemLine } from './problem-text.ts';

export const FILES = {
  name: 'FILE',
  help: 'rule files, or folders with all .yaml files in them, by name; later ones change what earlier ones say. None: the rules that come with the program',
  isRepeated: true,
  isOptional: true,
} as const;

/**
 * The rules of some files, and of those in folders; of no paths, those that come with the program. Throws TL4001 for a file that cannot be read.
 * What reads YAML is loaded now, and by no other command.
 */
export async function loadFiles(
  { readRules, ruleGround }: CommandContext,
  paths: readonly string[],
  isStrict: boolean,
): Promise<LoadedRules> {
  const { defaultFolder } = ruleGround;
  const given = paths.length > 0 || defaultFolder === null ? paths : [defaultFolder];
  if (given.length === 0) throw new ThroughlineError('TL3002', `${FILES.name} is missing`);
  const { loadRules } = await import('../../rules/load/load-rules.ts');
  return loadRules(
    given.flatMap((path) => ruleGround.list(path)).map((path) => new RuleSource(path, readRules(path))),
    { isStrict },
  );
}

/** The same, for commands that need rules that are right. Throws TL4002 with the first error. */
export async function loadRightFiles(
  context: CommandContext,
  paths: readonly string[],
): Promise<LoadedRules> {
  const loaded = await loadFiles(context, paths, false);
  const error = loaded.files.flatMap(({ errors }) => errors)[0];
  if (error !== undefined) throw new ThroughlineError('TL4002', problemLine(error));
  return loaded;
}
