import { existsSync } from 'node:fs';

/** uid and gid of nobody on Debian: for programs that refuse to be root. */
export const NOBODY = 65_534;

/** The distribution's programs only: what stands earlier in a developer's PATH may be a wrapper or another version. */
export const SYSTEM_PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

/** Why something is missing: the first of these files that is not there, with the Debian package that has it. */
export function firstMissing(files: Readonly<Record<string, string>>): string | null {
  for (const [path, debianPackage] of Object.entries(files))
    if (!existsSync(path)) return `${path} is missing (Debian package ${debianPackage})`;
  return null;
}
