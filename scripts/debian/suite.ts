import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findArchive, networkSettings, sourceLine } from './archive.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const CACHE = join(ROOT, '.cache', 'debian');
/** Lists of packages are asked for anew after this long. */
const LISTS_MAX_AGE_MS = 24 * 60 * 60 * 1000;

/** What a suite's list says of a package, as far as we need it. */
export interface Listing {
  readonly version: string;
  readonly architecture: string;
  readonly depends: string;
}

/**
 * One suite of Debian's archive (bullseye, bookworm-backports, sid, ...) through an apt of its own: sources, lists and
 * cache stand in `.cache/debian`, and neither the machine's apt nor its packages are touched. Works without root.
 */
export class Suite {
  readonly name: string;
  readonly #apt: string;

  /** @throws Error when the machine knows no Debian archive, or there is no list of the suite to be had */
  constructor(name: string) {
    if (!/^[a-z]+(?:-[a-z]+)*$/.test(name)) throw new Error(`'${name}' is no name of a suite`);
    this.name = name;
    this.#apt = join(CACHE, 'apt', name);
    this.#configure();
    this.#refresh();
  }

  /** @throws Error when the suite has no such package */
  find(packageName: string): Listing {
    return parseListing(this.#run(['apt-cache', 'show', '--no-all-versions', checked(packageName)]));
  }

  /**
   * Fetches a package, unless that version is there already, and unpacks it without installing it: no script of it runs.
   * @returns the folder that stands for / in the package
   */
  unpack(packageName: string): string {
    const { version, architecture } = this.find(packageName);
    const folder = join(CACHE, 'packages', `${packageName}_${version}_${architecture}`);
    if (existsSync(folder)) return folder;
    const work = `${folder}.new-${process.pid}`;
    try {
      mkdirSync(join(work, 'root'), { recursive: true });
      const archive = this.#download(packageName, version, work);
      execFileSync('dpkg-deb', ['--extract', archive, join(work, 'root')]);
      giveBack(work);
      if (!existsSync(folder)) renameSync(join(work, 'root'), folder);
      return folder;
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }

  /**
   * Fetches a package, unless that version is there already.
   * @returns the path of its archive (.deb)
   */
  fetch(packageName: string): string {
    const { version, architecture } = this.find(packageName);
    const folder = join(CACHE, 'archives');
    const path = join(folder, `${packageName}_${version.replace(':', '%3a')}_${architecture}.deb`);
    if (existsSync(path)) return path;
    const work = `${path}.new-${process.pid}`;
    try {
      mkdirSync(work, { recursive: true });
      renameSync(this.#download(packageName, version, work), path);
      giveBack(folder);
      return path;
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }

  /** By name and version: apt checks the sum that the signed list has. */
  #download(packageName: string, version: string, directory: string): string {
    this.#run(['apt-get', '-q', 'download', `${packageName}=${version}`], directory);
    const archive = readdirSync(directory).find((name) => name.endsWith('.deb'));
    if (archive === undefined) throw new Error(`apt-get downloaded no package ${packageName}`);
    return join(directory, archive);
  }

  #configure(): void {
    for (const folder of ['state/lists/partial', 'cache/archives/partial'])
      mkdirSync(join(this.#apt, folder), { recursive: true });
    writeFileSync(join(this.#apt, 'sources.list'), sourceLine(findArchive(), this.name));
    writeFileSync(join(this.#apt, 'status'), '');
    const own = {
      'Dir::State': 'state',
      'Dir::State::status': 'status',
      'Dir::Cache': 'cache',
      'Dir::Log': 'log',
      'Dir::Etc::sourcelist': 'sources.list',
    };
    // Neither its settings nor its hooks: those of desktops rebuild caches of the machine after an update.
    const none = [
      'main',
      'parts',
      'sourceparts',
      'preferences',
      'preferencesparts',
      'trusted',
      'trustedparts',
    ];
    writeFileSync(
      join(this.#apt, 'apt.conf'),
      [
        ...Object.entries(own).map(([name, path]) => `${name} "${join(this.#apt, path)}";\n`),
        ...none.map((name) => `Dir::Etc::${name} "/dev/null";\n`),
        'Acquire::Languages "none";\n',
        networkSettings(),
      ].join(''),
    );
    giveBack(CACHE);
  }

  #refresh(): void {
    const stamp = join(this.#apt, 'refreshed');
    const age = existsSync(stamp) ? Date.now() - statSync(stamp).mtimeMs : Infinity;
    if (age < LISTS_MAX_AGE_MS) return;
    try {
      // Two at once take turns; every failure counts, apt itself would go on with what it has.
      const update = ['apt-get', '-q', 'update', '--error-on=any'];
      this.#run(['flock', join(this.#apt, 'lock'), ...update]);
      writeFileSync(stamp, '');
      giveBack(CACHE);
    } catch (error) {
      if (age === Infinity) throw error;
      console.error(
        `debian: the lists of ${this.name} are ${Math.round(age / 3_600_000)} hours old: ${String(error)}`,
      );
    }
  }

  #run([command = '', ...args]: readonly string[], cwd = this.#apt): string {
    try {
      return execFileSync(command, args, {
        cwd,
        encoding: 'utf8',
        env: { ...process.env, APT_CONFIG: join(this.#apt, 'apt.conf'), LC_ALL: 'C' },
        stdio: ['ignore', 'pipe', 'pipe'],
        maxBuffer: 64 << 20,
      });
    } catch (error) {
      const reason =
        error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error);
      throw new Error(`suite ${this.name}: ${command} ${args.join(' ')} failed:\n${reason}`, {
        cause: error,
      });
    }
  }
}

/** Reads the first paragraph of what `apt-cache show` prints. */
export function parseListing(text: string): Listing {
  const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(text)?.[1] ?? '';
  const listing = {
    version: field('Version'),
    architecture: field('Architecture'),
    depends: field('Depends'),
  };
  if (listing.version === '') throw new Error(`no package is described in: ${text.slice(0, 200)}`);
  return listing;
}

/** Debian's rule for names: nothing that could be an option or a path. */
function checked(packageName: string): string {
  if (!/^[a-z0-9][a-z0-9+.-]+$/.test(packageName))
    throw new Error(`'${packageName}' is no name of a package`);
  return packageName;
}

/** Under sudo, what root makes here belongs to whoever owns the checkout. */
function giveBack(path: string): void {
  if (process.getuid?.() !== 0 || statSync(ROOT).uid === 0) return;
  execFileSync('chown', ['-R', '--no-dereference', `--reference=${ROOT}`, path]);
}
