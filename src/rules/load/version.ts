/** The version of the rule language that is understood: that of the reference engine. */
export const ENGINE_VERSION = '0.63.0';

/** Features of the reference engine's plugins that are built in, so that rules may require them. */
export const BUILT_IN_PLUGINS: ReadonlySet<string> = new Set(['container']);

type Version = readonly [major: number, minor: number, patch: number];

/** A version as rule files write it: a number N is 0.N.0. null where it is none. */
export function parseVersion(text: string): Version | null {
  if (/^\d{1,9}$/.test(text)) return [0, Number(text), 0];
  const parts = /^(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:[-+][\w.+-]*)?$/.exec(text);
  return parts === null ? null : [Number(parts[1]), Number(parts[2]), Number(parts[3])];
}

/** Whether an engine of version `have` runs what needs `need`: the same major version, and not older. */
export function satisfies(have: Version, need: Version): boolean {
  if (have[0] !== need[0]) return false;
  return have[1] !== need[1] ? have[1] > need[1] : have[2] >= need[2];
}
