import { isLibraryFile } from './library-files.ts';
import type { EffectView } from './views.ts';

/** What the C library and the shell do on the side, whatever the program: configuration of name lookups, probes. */
const FILES = new Set([
  '/etc/gai.conf',
  '/etc/host.conf',
  '/etc/nsswitch.conf',
  '/proc/sys/kernel/ngroups_max',
  '/proc/sys/vm/overcommit_memory',
  '/sys/devices/system/cpu/online',
  '/sys/devices/system/cpu/possible',
]);
/** Nothing is kept there, whatever is written. */
const NOWHERE = new Set(['/dev/null', '/dev/tty']);
/** The name service cache, asked by every lookup of a user; rarely there. */
const CACHE_SOCKET = /^(?:\/var)?\/run\/nscd\/socket$/;

/** Whether an effect says nothing about the program that it comes from: safe to fold. */
export function isRoutine(effect: EffectView): boolean {
  switch (effect.type) {
    case 'open':
      return NOWHERE.has(effect.resolvedPath) || (!effect.write && FILES.has(effect.resolvedPath));
    case 'connect':
      return effect.family === 'unix' && effect.error !== null && CACHE_SOCKET.test(effect.address);
    case 'action':
    case 'exec':
    case 'exit':
    case 'query':
      return false;
  }
}

/** Whether nobody wants to see it but who wants to see all. */
export function isNoise(effect: EffectView): boolean {
  return isLibraryFile(effect) || isRoutine(effect);
}
