import { join } from 'node:path';
import { throughline } from './replay.ts';

interface Fixture {
  readonly name: string;
  /** Arguments of Node for the load that was recorded, from the root of a checkout. */
  readonly load: readonly string[];
}

const WORKLOAD = 'test/support/fixture-workload.ts';

/** Recordings of test/fixtures/recordings, and what was done while they were made. */
export const FIXTURES: readonly Fixture[] = [
  { name: 'demo', load: ['demo/run.ts', '--json', '--traversal'] },
  { name: 'python-threading', load: [WORKLOAD, 'python-threading', '60', '20'] },
  { name: 'node', load: [WORKLOAD, 'node', '60', '20'] },
  { name: 'apache-cgi', load: [WORKLOAD, 'apache-cgi', '12', '4'] },
];

const DIRECTORY = join(import.meta.dirname, '..', 'fixtures', 'recordings');

export function recordingPath(name: string): string {
  return join(DIRECTORY, `${name}.tlrec`);
}

export function goldenPath(name: string): string {
  return join(DIRECTORY, `${name}.golden.jsonl`);
}

/** What the product says of a recording now. */
export function goldenOf(path: string): string {
  const { code, stdout, stderr } = throughline(['replay', path, '--trace', '--json']);
  if (code !== 0) throw new Error(`replay ended with ${code}: ${stderr}`);
  return stdout;
}
