import { byteStringFromText } from '../../base/bytes.ts';
import type { Container } from '../../model/container.ts';
import type { Environment } from '../../model/environment.ts';
import type { ExecutableFile } from '../../model/executable.ts';
import type { Process, StdioType } from '../../model/process.ts';
import { problemAt, RuleError } from '../../rules/problem.ts';
import type { Description } from './description.ts';

const CONTAINER_ID = 'c0ffee'.padEnd(64, '0');
/** TASK_COMM_LEN without its end: include/linux/sched.h. */
const MAX_COMM = 15;
/** Users that tests name; others have ids from here on. */
const USERS: Readonly<Record<string, number>> = { root: 0, 'www-data': 33, postgres: 105, nobody: 65_534 };
const OTHER_USER = 1000;

/**
 * Who does it: the program that is run, or `by`. `under` names its ancestors, the oldest first: "systemd > sshd > bash".
 *
 * @param isRun the program is what `run` says
 */
export function actorOf(description: Description, isRun: boolean): Process {
  const { texts, tables } = description;
  const user = texts.get('user') ?? 'root';
  const container = texts.get('container') ?? null;
  const uid = USERS[user] ?? OTHER_USER;
  const base = {
    argvTruncated: false,
    workingDirectory: texts.get('cwd') ?? '/',
    uid,
    gid: uid,
    groups: [],
    userName: user,
    stdio: [stdio(texts.get('stdin')), stdio(texts.get('stdout')), 'pipe'] as const,
    cgroupId: 1,
    containerId: container === null ? null : CONTAINER_ID,
    container: container === null ? null : containerOf(container),
    podUid: null,
    serviceUnit: null,
    exitedNs: null,
    exitCode: null,
    environment: environmentOf(tables.get('env')),
  };
  const lines = (texts.get('under') ?? '').split(' > ').filter((line) => line !== '');
  const actor = texts.get(isRun ? 'run' : 'by');
  if (actor !== undefined) lines.push(actor);
  if (lines.length === 0) lines.push('nginx');
  let process: Process | null = null;
  for (const [index, line] of lines.entries()) {
    const isActor = index === lines.length - 1;
    const named = isActor ? texts.get('executable') : undefined;
    const pid = isActor ? pidOf(description) : undefined;
    process = { ...base, ...programOf(line, named), ...identity(index, process, pid) };
    const sha256 = texts.get('sha256');
    if (isActor && sha256 !== undefined) process = { ...process, file: hashedFile(process, sha256) };
  }
  return process as Process;
}

function pidOf({ texts, place }: Description): number | undefined {
  const text = texts.get('pid');
  if (text === undefined) return undefined;
  if (/^\d{1,7}$/.test(text)) return Number(text);
  throw new RuleError(problemAt('item', `'${text}' is no number`, place, ''));
}

/** @param pid as the test says it; else processes at the same place of their lines are the same one */
function identity(index: number, parent: Process | null, pid: number | undefined) {
  return {
    pid: pid ?? 1000 + index,
    startTicks: 100_000 + index,
    parentPid: parent?.pid ?? 1,
    parent,
    inode: 7,
  };
}

/** Children inherit it: it is that of the ancestors, too. */
function environmentOf(variables: ReadonlyMap<string, string> | undefined): Environment | null {
  if (variables === undefined) return null;
  const set = [...variables].map(([name, value]) => byteStringFromText(`${name}=${value}`));
  return { variables: set, isCut: false };
}

function hashedFile({ executable }: Process, sha256: string): ExecutableFile {
  const hash = { sha256, problem: null };
  return { key: '', executed: null, path: executable, mountNamespace: 0, hash };
}

/** Without a path it is a program of /usr/bin. */
function programOf(line: string, executable: string | undefined) {
  const argv = wordsOf(line).map((word) => byteStringFromText(word));
  const [first = ''] = argv;
  const path = byteStringFromText(executable ?? (first.includes('/') ? first : `/usr/bin/${first}`));
  const name = first.slice(first.lastIndexOf('/') + 1);
  return { comm: name.slice(0, MAX_COMM), executable: path, argv };
}

/** Words as a shell would see them: quotes hold blanks together. */
export function wordsOf(line: string): readonly string[] {
  return [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, plain]) => double ?? single ?? plain ?? '',
  );
}

const STDIO = new Set(['closed', 'file', 'directory', 'terminal', 'device', 'pipe', 'socket', 'other']);

function stdio(text: string | undefined): StdioType {
  return text !== undefined && STDIO.has(text) ? (text as StdioType) : 'pipe';
}

/** An image, such as nginx:1.25. */
function containerOf(image: string): Container {
  return {
    id: CONTAINER_ID,
    runtime: 'docker',
    name: 'test',
    image,
    pod: '',
    namespace: '',
    podUid: '',
    labels: {},
  };
}
