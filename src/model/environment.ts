import type { ByteString } from '../base/bytes.ts';

/** Variables of the environment that a program was started with: those alone that somebody asked for. */
export interface Environment {
  /** Each as `NAME=value`; a name stands there once, as getenv(3) finds it. */
  readonly variables: readonly ByteString[];
  /** It was too long to be looked through as a whole: more may be set. */
  readonly isCut: boolean;
}

/** The value of a variable; null where it is not set, or not known. */
export function variableOf(environment: Environment | null | undefined, name: string): ByteString | null {
  if (environment === null || environment === undefined) return null;
  for (const variable of environment.variables)
    if (variable.length > name.length && variable[name.length] === '=' && variable.startsWith(name))
      return variable.slice(name.length + 1);
  return null;
}

/** The variables of these names, in the order in which they stand there. What has no name is none. */
export function selectVariables(
  variables: readonly ByteString[],
  names: ReadonlySet<ByteString>,
): readonly ByteString[] {
  const found = new Set<ByteString>();
  return variables.filter((variable) => {
    const name = variable.slice(0, Math.max(0, variable.indexOf('=')));
    if (!names.has(name) || found.has(name)) return false;
    found.add(name);
    return true;
  });
}
