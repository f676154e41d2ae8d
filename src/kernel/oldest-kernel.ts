import { ThroughlineError } from '../base/errors.ts';
import type { Architecture } from '../model/syscalls.ts';

/**
 * The first release, as [major, minor], whose BPF has atomic operations that say what was there before, by which buffers are
 * claimed: they came for all with 5.12 (5ffa25502b5a), and into the compiler of arm64 with 5.18 (1902472b4fa9).
 */
const OLDEST_KERNELS: Readonly<Record<Architecture, readonly [number, number]>> = {
  x64: [5, 12],
  arm64: [5, 18],
};

/**
 * @param release as `uname -r` says it
 * @throws ThroughlineError TL1003 for one that is too old
 */
export function requireKernelRelease(release: string, architecture: Architecture): void {
  const [oldestMajor, oldestMinor] = OLDEST_KERNELS[architecture];
  const [major = 0, minor = 0] = release.split(/[.-]/u).map(Number);
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor))
    throw new ThroughlineError('TL1003', `${release}; on ${architecture}, ${oldestMajor}.${oldestMinor}`);
}
