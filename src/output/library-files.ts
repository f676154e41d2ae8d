import type { EffectView } from './views.ts';

/** What a loader, a C library and a language's import open while a program starts: noise in a story, safe to fold. */
const PREFIXES = [
  '/lib/',
  '/lib32/',
  '/lib64/',
  '/usr/lib/',
  '/usr/lib32/',
  '/usr/lib64/',
  '/usr/local/lib/',
  '/usr/share/locale/',
  '/usr/share/zoneinfo/',
];
const FILES = new Set([
  '/etc/ld.so.cache',
  '/etc/ld.so.preload',
  '/etc/locale.alias',
  '/etc/localtime',
  '/proc/filesystems',
  '/sys/fs/selinux/enforce',
]);
/** Programs that are served from below a library directory. */
const NEVER = ['/usr/lib/cgi-bin/', '/usr/local/lib/cgi-bin/'];

/** Whether an effect is the reading of a library, found or not. Writes never are: that would be a story. */
export function isLibraryFile(effect: EffectView): boolean {
  if (effect.type !== 'open' || effect.write) return false;
  const path = effect.resolvedPath;
  if (FILES.has(path)) return true;
  if (path.includes('/../') || NEVER.some((prefix) => path.startsWith(prefix))) return false;
  return PREFIXES.some((prefix) => path.startsWith(prefix));
}
