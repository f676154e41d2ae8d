import { lstatSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ThroughlineError, type ErrorCode } from '../../base/errors.ts';
import { RuleSource } from '../../rules/text.ts';
import { FileRefusal, readRegularFile } from './regular-file.ts';

/** Files of rules in another format, in folders of folders. */

const MAX_FILES = 50_000;
const MAX_DEPTH = 32;

/** The YAML files that paths stand for: files as they are, of folders all below, in the order of their names. Throws TL4001. */
export function listForeignFiles(paths: readonly string[]): readonly string[] {
  const files: string[] = [];
  for (const path of paths) {
    if (attempt('TL4001', path, () => statSync(path)).isDirectory()) walk(path, files, 0);
    else files.push(path);
  }
  return files;
}

/** Symbolic links below are not followed: they may lead in circles. */
function walk(folder: string, files: string[], depth: number): void {
  const names = attempt('TL4001', folder, () => readdirSync(folder));
  for (const name of names.toSorted()) {
    if (name.startsWith('.')) continue;
    const path = join(folder, name);
    const stat = attempt('TL4001', path, () => lstatSync(path));
    if (stat.isDirectory() && depth < MAX_DEPTH) walk(path, files, depth + 1);
    if (!stat.isFile() || !/\.ya?ml$/.test(name)) continue;
    if (files.length >= MAX_FILES)
      throw new ThroughlineError('TL4001', `more than ${MAX_FILES} files in ${folder}`);
    files.push(path);
  }
}

/** @param limit of a larger file nothing more is read than makes it too large. Throws TL4001. */
export function readForeignFile(path: string, limit: number): RuleSource {
  return attempt('TL4001', path, () => {
    const stat = statSync(path);
    const isLarge = stat.isFile() && stat.size > 4 * limit;
    return new RuleSource(path, isLarge ? ' '.repeat(limit + 1) : readRegularFile(path, 4 * limit));
  });
}

/** Throws TL4010. */
export function writeRules(path: string, text: string): void {
  attempt('TL4010', path, () => writeFileSync(path, text));
}

function attempt<Result>(code: ErrorCode, path: string, run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    if (error instanceof ThroughlineError) throw error;
    const isSystem = error instanceof Error && 'code' in error;
    const reason = isSystem
      ? String(error.code)
      : error instanceof FileRefusal
        ? error.message
        : String(error);
    throw new ThroughlineError(code, `${path} (${reason})`, { cause: error });
  }
}
