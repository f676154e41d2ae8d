/**
 * Who may import whom: the boundaries between the rooms of src/, as a table. Run by `make check`.
 *
 * Every import counts, `import type` too: a type is knowledge as well. Tests keep to the same table, but may use any
 * Node module and fast-check. What is outside src/ (scripts, test, bench, demo) may import anything.
 */

import { globSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';

interface Room {
  /** Rooms that may be imported; 'contracts' stands for the contract.ts of every room. */
  readonly imports: readonly string[];
  /** No I/O, no clock: only PURE_MODULES, and time comes from a Clock. */
  readonly isPure?: true;
  /** Folders of the room are leaves of one kind that never import each other; they share the room's own files. */
  readonly hasLeaves?: true;
  /** Folders of the room that are no leaves: what some leaves have in common, and which leaves those are. */
  readonly shared?: Readonly<Record<string, readonly string[]>>;
  /** npm packages that may be imported. */
  readonly packages?: readonly string[];
  /** Modules of Node that a pure room may import besides. */
  readonly modules?: readonly string[];
  /** What single leaves may import besides. */
  readonly leafImports?: Readonly<Record<string, readonly string[]>>;
}

const ROOMS: Readonly<Record<string, Room>> = {
  base: { imports: [], isPure: true },
  abi: { imports: ['base', 'model'], isPure: true },
  model: { imports: ['base'], isPure: true },
  rules: {
    imports: ['base', 'model'],
    isPure: true,
    packages: ['re2js', 'yaml'],
    // To load re2js where a pattern stands, and not before.
    modules: ['node:module'],
  },
  protocols: {
    imports: ['base', 'model'],
    isPure: true,
    hasLeaves: true,
    // What a request of HTTP is, whatever its framing.
    shared: { http: ['http1', 'http2', 'fastcgi', 'uwsgi', 'websocket'] },
  },
  detect: {
    imports: ['base', 'model'],
    isPure: true,
    hasLeaves: true,
    leafImports: { rules: ['rules'] },
  },
  respond: { imports: ['base', 'model'], hasLeaves: true },
  store: { imports: ['base', 'model'], hasLeaves: true },
  output: { imports: ['base', 'model'], hasLeaves: true },
  world: { imports: ['base', 'model'], isPure: true },
  attribution: { imports: ['base', 'model'], isPure: true },
  incident: { imports: ['base', 'model'] },
  kernel: { imports: ['base', 'abi', 'model'], packages: ['koffi'] },
  capture: { imports: ['base', 'abi', 'model', 'kernel'] },
  containers: { imports: ['base', 'model'] },
  hashes: { imports: ['base', 'model'] },
  api: { imports: ['base', 'model', 'rules', 'output/views', 'contracts'] },
  cli: { imports: ['base', 'model', 'rules', 'output', 'api/contract', 'contracts'] },
  app: { imports: ['*'] },
};

/** Modules of Node that compute and do nothing else. */
const PURE_MODULES = new Set(['node:buffer', 'node:crypto', 'node:path', 'node:util', 'node:zlib']);

const IMPURE_CALLS =
  /\b(?:Date\.now|performance\.now|process\.hrtime|setTimeout|setInterval|setImmediate|fetch)\b(?=[.(])|\bnew Date\(\s*\)/g;

export interface Violation {
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

/** @param files path from the checkout's root, with forward slashes, to the source */
export function checkLayers(files: ReadonlyMap<string, string>): Violation[] {
  const violations: Violation[] = [];
  for (const [path, source] of files) {
    if (!path.startsWith('src/')) continue;
    const code = maskComments(source);
    const report = (index: number, message: string) => {
      violations.push({ path, line: code.slice(0, index).split('\n').length, message });
    };
    const from = locate(path);
    const room = ROOMS[from.room];
    if (room === undefined) {
      report(0, `'${from.room}' is no room of the table in scripts/check-layers.ts`);
      continue;
    }
    for (const { specifier, index } of findImports(code)) {
      const message = specifier.startsWith('.')
        ? judgeRelative(from, room, specifier)
        : judgePackage(from, room, specifier);
      if (message !== null) report(index, message);
    }
    if (room.isPure && !from.isTest) {
      for (const match of maskStrings(code).matchAll(IMPURE_CALLS)) {
        report(match.index, `${from.room} is pure: no ${match[0]}; take time from a Clock`);
      }
    }
  }
  return violations;
}

interface Place {
  readonly path: string;
  readonly room: string;
  /** The room's folder that holds the file; null for a file directly in the room. */
  readonly leaf: string | null;
  readonly isTest: boolean;
}

/** Tests, and what only they use. */
const TEST_FILE = /(?:\.test\.ts|\/testing\.ts|\/testing\/[^/]+\.ts)$/;
/** npm packages that only tests may import. */
const TEST_PACKAGES = new Set(['fast-check', '@datadog/native-appsec']);

function locate(path: string): Place {
  const [, room = '', ...rest] = path.split('/');
  return { path, room, leaf: rest.length > 1 ? (rest[0] ?? null) : null, isTest: TEST_FILE.test(path) };
}

/** Why the import is wrong; null when it may be. */
function judgeRelative(from: Place, room: Room, specifier: string): string | null {
  if (!specifier.endsWith('.ts')) return `'${specifier}' must name the file, with .ts`;
  const target = posix.join(posix.dirname(from.path), specifier);
  if (!target.startsWith('src/')) return `src/ must not import '${target}' from outside`;
  const to = locate(target);
  if (to.room === from.room) {
    if (!room.hasLeaves || to.leaf === from.leaf || to.leaf === null) return null;
    if (from.leaf !== null && room.shared?.[to.leaf]?.includes(from.leaf)) return null;
    if (from.leaf !== null)
      return `leaf ${from.room}/${from.leaf} must not import leaf ${to.room}/${to.leaf}`;
    // A suite at the room's level may run on each leaf (say, the stores' contract).
    return from.isTest
      ? null
      : `${from.room} must not import its leaf ${to.leaf}: src/app puts them together`;
  }
  if (to.room === 'app') return 'app is imported by nobody';
  const allowed = [...room.imports, ...(room.leafImports?.[from.leaf ?? ''] ?? [])];
  const isAllowed = allowed.some(
    (name) =>
      name === '*' ||
      name === to.room ||
      target.startsWith(`src/${name}/`) ||
      target === `src/${name}.ts` ||
      (name === 'contracts' && target === `src/${to.room}/contract.ts`),
  );
  return isAllowed
    ? null
    : `${from.room} may import ${allowed.join(', ') || 'nothing'}; not '${target.slice(4)}'`;
}

function judgePackage(from: Place, room: Room, specifier: string): string | null {
  const isBuiltin = specifier.startsWith('node:');
  if (from.isTest && (isBuiltin || TEST_PACKAGES.has(specifier))) return null;
  if (isBuiltin) {
    if (!room.isPure || PURE_MODULES.has(specifier) || room.modules?.includes(specifier)) return null;
    return `${from.room} is pure: no '${specifier}'`;
  }
  const isAllowed = room.imports.includes('*') || room.packages?.includes(specifier);
  return isAllowed ? null : `${from.room} must not import the package '${specifier}'`;
}

function findImports(code: string): { specifier: string; index: number }[] {
  const patterns = [
    /^[ \t]*(?:import|export)\b[^'"`;()]*?\bfrom\s*(['"])(.+?)\1/gm,
    /^[ \t]*import\s*(['"])(.+?)\1/gm,
    /\bimport\s*\(\s*(['"`])(.+?)\1/g,
    /\bnew URL\(\s*(['"])(\.{1,2}\/[^'"]+\.ts)\1\s*,\s*import\.meta\.url/g,
  ];
  return patterns
    .flatMap((pattern) => [...code.matchAll(pattern)])
    .map((match) => ({ specifier: match[2] ?? '', index: match.index + match[0].search(/\S/) }))
    .sort((a, b) => a.index - b.index);
}

// In order: line and block comments, regular expressions (which may hold quotes), strings, templates.
const TOKENS =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|(?<=(?:[=(,:;!&|?{}[\n]|\breturn|=>)[ \t]*)\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/\w*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|[^`\\])*`/g;

const blank = (text: string) => text.replace(/[^\n]/g, ' ');

/** Blanks comments, and templates of many lines: a line of theirs may look like an import. */
function maskComments(source: string): string {
  return source.replace(TOKENS, (token) =>
    /^\/[/*]/.test(token) || (token.startsWith('`') && token.includes('\n')) ? blank(token) : token,
  );
}

function maskStrings(code: string): string {
  return code.replace(TOKENS, blank);
}

if (import.meta.main) {
  const root = posix.join(import.meta.dirname, '..');
  const paths = globSync('src/**/*.ts', { cwd: root }).sort();
  const violations = checkLayers(
    new Map(paths.map((path) => [path, readFileSync(posix.join(root, path), 'utf8')])),
  );
  for (const { path, line, message } of violations) console.error(`${path}:${line}: ${message}`);
  console.log(`${paths.length} files, ${violations.length} violations`);
  process.exitCode = violations.length > 0 ? 1 : 0;
}
