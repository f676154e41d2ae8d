/**
 * Finishes package-lock.json after npm wrote it (`make lock`):
 * - takes the addresses out. Where a package is fetched from is the installer's setting; its integrity sum says
 *   what must arrive;
 * - names the binaries of platforms that a registry did not offer, as never to be installed, because `npm ci` wants
 *   to find every optional dependency listed.
 */

import { readFileSync, writeFileSync } from 'node:fs';

interface LockEntry {
  version?: string;
  resolved?: string;
  funding?: unknown;
  dev?: boolean;
  optionalDependencies?: Record<string, string>;
  [field: string]: unknown;
}

const path = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(path, 'utf8')) as { packages: Record<string, LockEntry> };
const packages = lock.packages;

for (const entry of Object.values(packages)) {
  delete entry.funding;
  delete entry.resolved;
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    packages[`node_modules/${name}`] ??= {
      version,
      ...(entry.dev === true ? { dev: true } : {}),
      optional: true,
      os: ['none'],
    };
  }
}
lock.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(path, JSON.stringify(lock, null, 2) + '\n');
