import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Suite } from '../../scripts/debian/suite.ts';

export const NEWER_GO = '1.24';
/** The first time, the standard library is compiled: a minute or two. */
const CACHE = join(tmpdir(), `throughline-go-${NEWER_GO}-cache`);

/** Why its packages are not to be had, said once on stderr; null when they are there. For `{ skip: ... }`. */
export function whyNoNewerGo(): string | null {
  try {
    unpack();
    return null;
  } catch (error) {
    const reason = `Go ${NEWER_GO} is not to be had: ${error instanceof Error ? error.message : String(error)}`;
    console.error(`SKIPPED: what needs a newer Go: ${reason}`);
    return reason;
  }
}

function unpack(): { readonly programs: string; readonly sources: string } {
  const suite = new Suite('trixie');
  return { programs: suite.unpack(`golang-${NEWER_GO}-go`), sources: suite.unpack(`golang-${NEWER_GO}-src`) };
}

/** Go of Debian 13, unpacked but not installed: what the system's may be too old for. */
export class NewerGo {
  readonly #root: string;
  readonly #directory: string;
  readonly #libraries: string | null;

  /**
   * @param directory where it may put things together
   * @param libraries GOPATH, where programs need more than the standard library
   * @throws Error when the packages are not to be had
   */
  constructor(directory: string, libraries: string | null = null) {
    const { programs, sources } = unpack();
    const library = join(programs, 'usr/lib', `go-${NEWER_GO}`);
    this.#directory = directory;
    this.#libraries = libraries;
    this.#root = join(directory, 'goroot');
    mkdirSync(join(this.#root, 'pkg'), { recursive: true });
    // The packages' own links lead from one to the other.
    symlinkSync(join(library, 'bin'), join(this.#root, 'bin'));
    symlinkSync(join(library, 'pkg/tool'), join(this.#root, 'pkg/tool'));
    symlinkSync(
      join(programs, 'usr/share', `go-${NEWER_GO}`, 'pkg/include'),
      join(this.#root, 'pkg/include'),
    );
    symlinkSync(join(sources, 'usr/share', `go-${NEWER_GO}`, 'src'), join(this.#root, 'src'));
    for (const name of ['VERSION', 'go.env']) copyFileSync(join(library, name), join(this.#root, name));
  }

  /** @returns the program */
  build(name: string, source: string, ...flags: readonly string[]): string {
    const program = join(this.#directory, name);
    execFileSync(join(this.#root, 'bin/go'), ['build', ...flags, '-o', program, source], {
      cwd: this.#directory,
      env: {
        PATH: '/usr/bin:/bin',
        HOME: this.#directory,
        GOROOT: this.#root,
        GOCACHE: CACHE,
        GO111MODULE: 'off',
        GOTOOLCHAIN: 'local',
        // Nothing is fetched.
        GOPROXY: 'off',
        ...(this.#libraries === null ? {} : { GOPATH: this.#libraries }),
        // Without the C library there is less to compile.
        CGO_ENABLED: '0',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return program;
  }
}
