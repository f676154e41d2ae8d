import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse } from 'yaml';

export const OPERATIONS = join(import.meta.dirname, '..', '..', 'operations');

/** What is done to see whether a rule fires on it: scripts of the shell. */
export interface Operation {
  readonly rule: string;
  /** Rules that rightly fire on the same. */
  readonly also: readonly string[];
  readonly where: 'host' | 'container';
  /** Who does it: root where nothing is said. */
  readonly as: string | null;
  readonly fires: string;
  /** The same, without what the rule is about: no rule fires. */
  readonly quiet: string;
}

/** A rule that no operation can make fire in a test. */
export interface Impossible {
  readonly rule: string;
  readonly reason: string;
}

/** Work that hosts do every day: no rule fires, but for those that are named. */
export interface Work {
  readonly name: string;
  readonly also: readonly string[];
  readonly where: 'host' | 'container';
  readonly script: string;
}

/** A file of test/operations: all of it is done in one sandbox. */
export interface Listing {
  readonly category: string;
  /** Debian packages that are fetched before: their archives are in /ops/packages. */
  readonly packages: readonly string[];
  /** Done before everything else; no rule may fire on that either. */
  readonly before: string;
  readonly operations: readonly Operation[];
  readonly impossible: readonly Impossible[];
  readonly work: readonly Work[];
}

type Entry = Readonly<Record<string, unknown>>;

const KEYS = new Set([
  'packages',
  'before',
  'rule',
  'also',
  'where',
  'as',
  'fires',
  'quiet',
  'impossible',
  'ordinary',
]);

export function categories(): string[] {
  return readdirSync(OPERATIONS)
    .filter((name) => name.endsWith('.yaml') && name !== 'marks.yaml')
    .map((name) => basename(name, '.yaml'))
    .toSorted();
}

/** @throws Error where the file says something that nobody understands */
export function readListing(category: string): Listing {
  const entries = parse(readFileSync(join(OPERATIONS, `${category}.yaml`), 'utf8')) as readonly Entry[];
  const text = (entry: Entry, key: string): string => {
    const value = entry[key];
    if (typeof value !== 'string') throw new Error(`${category}: ${JSON.stringify(entry)} has no ${key}`);
    return value;
  };
  for (const entry of entries)
    for (const key of Object.keys(entry))
      if (!KEYS.has(key)) throw new Error(`${category}: what is '${key}'?`);
  const common = (entry: Entry) => ({
    also: (entry['also'] ?? []) as readonly string[],
    where: entry['where'] === 'container' ? ('container' as const) : ('host' as const),
  });
  return {
    category,
    packages: entries.flatMap((entry) => (entry['packages'] ?? []) as readonly string[]),
    before: entries
      .filter((entry) => 'before' in entry)
      .map((entry) => text(entry, 'before'))
      .join('\n'),
    operations: entries
      .filter((entry) => 'rule' in entry && !('impossible' in entry))
      .map((entry) => ({
        ...common(entry),
        rule: text(entry, 'rule'),
        as: 'as' in entry ? text(entry, 'as') : null,
        fires: text(entry, 'fires'),
        quiet: text(entry, 'quiet'),
      })),
    impossible: entries
      .filter((entry) => 'impossible' in entry)
      .map((entry) => ({ rule: text(entry, 'rule'), reason: text(entry, 'impossible') })),
    work: entries
      .filter((entry) => 'ordinary' in entry)
      .map((entry) => ({
        ...common(entry),
        name: text(entry, 'ordinary'),
        script: text(entry, 'quiet'),
      })),
  };
}
