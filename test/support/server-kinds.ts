import { execFileSync } from 'node:child_process';
import { accessSync, chmodSync, constants, copyFileSync, existsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Suite } from '../../scripts/debian/suite.ts';
import type { Certificate } from './certificate.ts';
import { apacheConfig, findApache } from '../servers/apache-config.ts';

/** The kinds of test/servers/README.md. */
export const SERVER_KINDS = [
  'node',
  'python-threading',
  'python-forking',
  'uvicorn',
  'uvloop',
  'go',
  'php',
  'apache-cgi',
] as const;
export type CommonKind = (typeof SERVER_KINDS)[number];
/** And one from an older Debian, for what has changed in its library since. */
export type ServerKind = CommonKind | 'python-openssl-1.1';

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

interface KindDescriptor {
  /** Why this machine cannot run the kind; null when it can. */
  missing(): string | null;
  /** The command that serves on `port`; may write what it needs into `directory`. */
  prepare(directory: string, port: number, certificate: Certificate | null): Command;
  /** Must not run as root: it is started as nobody then, and owns its directory. */
  readonly refusesRoot?: boolean;
}

const GO_CACHE = join(tmpdir(), 'throughline-go-cache');
const SERVERS = join(import.meta.dirname, '..', 'servers');

/** The distribution's program first: what stands earlier in PATH may be a wrapper that starts more programs. */
function findProgram(name: string): string | null {
  const directories = ['/usr/bin', '/usr/local/bin', ...(process.env['PATH'] ?? '').split(delimiter)];
  for (const directory of directories) {
    const path = join(directory, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here.
    }
  }
  return null;
}

function needs(name: string, debianPackage: string): string | null {
  return findProgram(name) ? null : `${name} is not installed (Debian package ${debianPackage})`;
}

function needsModule(name: string): string | null {
  const isThere = existsSync(join('/usr/lib/python3/dist-packages', name));
  return isThere ? null : `${name} is not installed (Debian package python3-${name})`;
}

function python(mode: string): KindDescriptor {
  return {
    missing: () => needs('python3', 'python3'),
    prepare: (_directory, port) => ({
      program: findProgram('python3') ?? 'python3',
      args: [join(SERVERS, 'python-http.py'), mode, String(port)],
    }),
  };
}

/** Python 3.9 of Debian 11, unpacked but not installed: its module for TLS uses OpenSSL 1.1. */
function oldPython(): KindDescriptor {
  const folderOf = (packageName: string, path: string): string =>
    join(new Suite('bullseye').unpack(packageName), path);
  return {
    missing: () => {
      try {
        folderOf('libssl1.1', '');
        return null;
      } catch (error) {
        return `packages of Debian 11 are not to be had: ${error instanceof Error ? error.message : String(error)}`;
      }
    },
    prepare: (_directory, port) => {
      const modules = ['libpython3.9-minimal', 'libpython3.9-stdlib'].flatMap((name) => {
        const folder = folderOf(name, 'usr/lib/python3.9');
        return [folder, join(folder, 'lib-dynload')];
      });
      return {
        program: folderOf('python3.9-minimal', 'usr/bin/python3.9'),
        args: [join(SERVERS, 'python-http.py'), 'threading', String(port)],
        env: {
          PYTHONPATH: modules.join(delimiter),
          PYTHONDONTWRITEBYTECODE: '1',
          // Where each architecture has its libraries, by Debian's names.
          LD_LIBRARY_PATH: ['x86_64-linux-gnu', 'aarch64-linux-gnu']
            .map((name) => folderOf('libssl1.1', join('usr/lib', name)))
            .join(delimiter),
        },
      };
    },
  };
}

function prepareApache(directory: string, port: number, certificate: Certificate | null): Command {
  const apache = findApache();
  if (!apache) throw new Error('Apache is not installed');
  // A copy: the checkout may stand where nobody else may look.
  const script = join(directory, 'app.sh');
  copyFileSync(join(SERVERS, 'apache-cgi.sh'), script);
  chmodSync(script, 0o755);
  const configuration = join(directory, 'httpd.conf');
  writeFileSync(configuration, apacheConfig(directory, apache.modules, script, port, certificate));
  return { program: apache.program, args: ['-f', configuration, '-D', 'FOREGROUND'] };
}

/** Compiled once for each server: the compiler keeps its own cache, which makes the second time short. */
function prepareGo(directory: string, port: number): Command {
  return {
    program: buildGo(directory, 'go-http', join(SERVERS, 'go-http', 'main.go')),
    args: [String(port)],
  };
}

/** @returns the program, in the directory */
export function buildGo(
  directory: string,
  name: string,
  source: string,
  ...flags: readonly string[]
): string {
  const program = join(directory, name);
  // No version control, and no module of its own: a single file of the standard library's.
  execFileSync(findProgram('go') ?? 'go', ['build', ...flags, '-o', program, source], {
    cwd: directory,
    env: {
      PATH: process.env['PATH'] ?? '/usr/bin:/bin',
      HOME: directory,
      GOCACHE: GO_CACHE,
      GO111MODULE: 'off',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return program;
}

function prepareUvicorn(loop: string, port: number, certificate: Certificate | null): Command {
  const secured =
    certificate === null
      ? []
      : ['--ssl-certfile', certificate.certificateFile, '--ssl-keyfile', certificate.keyFile];
  return {
    program: findProgram('python3') ?? 'python3',
    args: [
      ...['-m', 'uvicorn', '--app-dir', SERVERS, '--port', String(port), '--backlog', '512'],
      ...[
        '--loop',
        loop,
        '--log-level',
        'warning',
        '--lifespan',
        'off',
        ...secured,
        'python_asgi:application',
      ],
    ],
    // The checkout stays as it is.
    env: { PYTHONDONTWRITEBYTECODE: '1' },
  };
}

export const KINDS: Readonly<Record<ServerKind, KindDescriptor>> = {
  node: {
    missing: () => null,
    prepare: (_directory, port) => ({
      program: process.execPath,
      args: [join(SERVERS, 'node-http.ts'), String(port)],
    }),
  },
  'python-threading': python('threading'),
  'python-forking': python('forking'),
  'python-openssl-1.1': oldPython(),
  uvicorn: {
    missing: () => needsModule('uvicorn'),
    prepare: (_directory, port, certificate) => prepareUvicorn('asyncio', port, certificate),
  },
  uvloop: {
    missing: () => needsModule('uvicorn') ?? needsModule('uvloop'),
    prepare: (_directory, port, certificate) => prepareUvicorn('uvloop', port, certificate),
  },
  go: {
    missing: () => needs('go', 'golang-go'),
    prepare: prepareGo,
  },
  php: {
    missing: () => needs('php', 'php-cli'),
    prepare: (_directory, port) => ({
      program: findProgram('php') ?? 'php',
      args: ['-S', `127.0.0.1:${port}`, join(SERVERS, 'php-router.php')],
      env: { PHP_CLI_SERVER_WORKERS: '4' },
    }),
  },
  'apache-cgi': {
    missing: () =>
      findApache()
        ? needs('bash', 'bash')
        : 'Apache with mpm_prefork is not installed (Debian package apache2-bin)',
    prepare: prepareApache,
    refusesRoot: true,
  },
};
