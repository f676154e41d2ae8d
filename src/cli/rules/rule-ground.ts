import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ThroughlineError } from '../../base/errors.ts';

/** Where rule files are, and what says that they have changed: files and signals, so that tests can make them up. */
export interface RuleGround {
  /** The folder of rules that come with the program; null where there is none. */
  readonly defaultFolder: string | null;
  /** The files that a path stands for: itself, or the .yaml files in a folder, in the order of their names. Throws TL4001. */
  readonly list: (path: string) => readonly string[];
  /** A text that changes whenever one of these files does. Never throws. */
  readonly stamp: (files: readonly string[]) => string;
  /** SIGHUP: while somebody listens, it does not end a process that has no terminal. @returns ends it */
  readonly onHangup: (listener: () => void) => () => void;
}

export function listRuleFiles(path: string): readonly string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => !entry.isDirectory() && /\.ya?ml$/.test(entry.name) && !entry.name.startsWith('.'))
      .map((entry) => join(path, entry.name))
      .toSorted((a, b) => (a < b ? -1 : 1));
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new ThroughlineError('TL4001', `${path} (${reason})`, { cause: error });
  }
}

export function stampOf(files: readonly string[]): string {
  return files
    .map((file) => {
      const stat = statSync(file, { throwIfNoEntry: false });
      return stat === undefined
        ? `${file} none`
        : `${file} ${stat.ino} ${stat.size} ${stat.mtimeMs} ${stat.ctimeMs}`;
    })
    .join('\n');
}
