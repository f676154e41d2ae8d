import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Suite } from '../debian/suite.ts';

/** A kernel that Throughline is tested on. */
export interface KernelChoice {
  /** Its version's first two numbers, or 'newest'. */
  readonly name: string;
  /** Suites that serve it; of several the one with the newest. */
  readonly suites: readonly string[];
  /** What it needs on its command line to have BPF LSM programs; '' where that is the default. */
  readonly parameters: string;
  /** Throughline says that it is too old, and runs nothing there. */
  readonly isRefused: boolean;
}

export const KERNEL_CHOICES: readonly KernelChoice[] = [
  { name: '5.10', suites: ['bullseye'], parameters: 'lsm=lockdown,yama,apparmor,bpf', isRefused: true },
  { name: '6.1', suites: ['bookworm'], parameters: '', isRefused: false },
  { name: '6.12', suites: ['trixie'], parameters: '', isRefused: false },
  { name: 'newest', suites: ['trixie-backports', 'sid'], parameters: '', isRefused: false },
];

/** A kernel, unpacked. */
export interface KernelFiles {
  /** As `uname -r` will say. */
  readonly release: string;
  readonly image: string;
  /** Its modules, with modules.dep. */
  readonly modules: string;
}

const META_PACKAGE = 'linux-image-amd64';

/**
 * Fetches a kernel of Debian's and unpacks it, unless it is there.
 * @throws Error when the archive cannot be reached, or does not have it
 */
export function fetchKernel(choice: KernelChoice): KernelFiles {
  const suite = newestSuite(choice.suites.map((name) => new Suite(name)));
  const image = dependencies(suite.find(META_PACKAGE).depends).find((name) => /^linux-image-\d/.test(name));
  if (image === undefined) throw new Error(`${META_PACKAGE} of ${suite.name} names no kernel`);
  // Since 6.19 the image's package is empty, and what was in it comes in several.
  const parts = dependencies(suite.find(image).depends).filter((name) =>
    /^linux-(?:binary|modules)-\d/.test(name),
  );
  const folders = [image, ...parts].map((name) => suite.unpack(name));
  const release = image.slice('linux-image-'.length);
  const modules = inOneOf(
    folders,
    [`lib/modules/${release}/kernel`, `usr/lib/modules/${release}/kernel`],
    release,
  );
  const moduleFolder = join(modules, '..');
  if (!existsSync(join(moduleFolder, 'modules.dep')))
    execFileSync('depmod', ['--basedir', join(moduleFolder, '..', '..', '..'), release], {
      stdio: ['ignore', 'pipe', 'pipe'], // it misses lists of what is built in, which nothing here reads
    });
  return {
    release,
    image: inOneOf(folders, [`boot/vmlinuz-${release}`, `usr/lib/modules/${release}/vmlinuz`], release),
    modules: moduleFolder,
  };
}

function newestSuite(suites: readonly Suite[]): Suite {
  const version = (suite: Suite): string => suite.find(META_PACKAGE).version;
  return suites.reduce((best, suite) => (isNewer(version(suite), version(best)) ? suite : best));
}

function isNewer(version: string, than: string): boolean {
  try {
    execFileSync('dpkg', ['--compare-versions', version, 'gt', than]);
    return true;
  } catch {
    return false;
  }
}

/** Names of the packages in a Depends field, of alternatives the first. */
export function dependencies(field: string): string[] {
  return field.split(',').map((one) => /[a-z0-9][a-z0-9+.-]*/.exec(one)?.[0] ?? '');
}

function inOneOf(folders: readonly string[], paths: readonly string[], release: string): string {
  for (const folder of folders)
    for (const path of paths) if (existsSync(join(folder, path))) return join(folder, path);
  throw new Error(`the packages of ${release} have none of ${paths.join(', ')}`);
}
