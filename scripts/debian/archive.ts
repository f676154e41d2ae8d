import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/** Debian's own keys, of the package debian-archive-keyring. */
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** One index file that the machine's apt knows of. */
export interface IndexTarget {
  readonly uri: string;
  /** Suite or codename, as the machine's sources name it. */
  readonly release: string;
  readonly component: string;
}

/**
 * Where the machine gets Debian from, so that no address has to stand in this repository.
 * @throws Error when the machine's sources have no Debian archive
 */
export function findArchive(): string {
  const format = '$(REPO_URI) $(RELEASE) $(COMPONENT)';
  const lines = execFileSync('apt-get', ['indextargets', '--format', format, 'Created-By: Packages'], {
    encoding: 'utf8',
  });
  const targets = lines.split('\n').map((line): IndexTarget => {
    const [uri = '', release = '', component = ''] = line.split(' ');
    return { uri, release, component };
  });
  const archive = chooseArchive(targets, codename());
  if (archive === null)
    throw new Error("this machine's apt sources have no Debian archive (component main of its own release)");
  return archive;
}

/** @returns null where none of them is the archive itself: not its updates, its security fixes, or somebody else's */
export function chooseArchive(targets: readonly IndexTarget[], codename: string): string | null {
  const own = targets.filter(
    ({ release, component }) => component === 'main' && (release === codename || release === 'stable'),
  );
  // Others' archives may name their suites as Debian does.
  return own.find(({ uri }) => /\/debian\/?$/.test(uri))?.uri ?? null;
}

function codename(): string {
  return /^VERSION_CODENAME="?([a-z]+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? '';
}

/** The source of a suite, for apt: what is not signed by Debian is refused. */
export function sourceLine(archive: string, suite: string): string {
  if (!existsSync(KEYRING))
    throw new Error(`${KEYRING} is missing; install the package debian-archive-keyring`);
  return `deb [signed-by=${KEYRING}] ${archive} ${suite} main\n`;
}

/** What the machine's apt was told about reaching the network (proxies, certificates), as lines of a configuration. */
export function networkSettings(): string {
  const dump = execFileSync('apt-config', ['dump'], { encoding: 'utf8' });
  return dump
    .split('\n')
    .filter((line) => /^Acquire::(?:https?|Retries|ForceIPv[46]|Check-)\b/.test(line))
    .map((line) => `${line}\n`)
    .join('');
}
