import { ThroughlineError } from '../../base/errors.ts';
import { loadRules, type LoadedRules } from '../../rules/load/load-rules.ts';
import { RuleSource } from '../../rules/text.ts';
import type { CommandContext } from '../command.ts';
import { problemLine } from './problem-text.ts';

export const FILES = {
  name: 'FILE',
  help: 'rule files; later ones change what earlier ones say',
  isRepeated: true,
} as const;

/** The rules of some files. Throws TL4001 for a file that cannot be read. */
export function loadFiles(
  { readRules }: CommandContext,
  paths: readonly string[],
  isStrict: boolean,
): LoadedRules {
  return loadRules(
    paths.map((path) => new RuleSource(path, readRules(path))),
    { isStrict },
  );
}

/** The same, for commands that need rules that are right. Throws TL4002 with the first error. */
export function loadRightFiles(context: CommandContext, paths: readonly string[]): LoadedRules {
  const loaded = loadFiles(context, paths, false);
  const error = loaded.files.flatMap(({ errors }) => errors)[0];
  if (error !== undefined) throw new ThroughlineError('TL4002', problemLine(error));
  return loaded;
}
