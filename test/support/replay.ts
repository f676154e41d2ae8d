import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SLOWNESS } from './slowness.ts';
import type { JsonMessage } from './throughline.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const PROGRAM = join(ROOT, 'bin', 'throughline');
const SETPRIV = '/usr/bin/setpriv';
const NOBODY = ['--reuid', '65534', '--regid', '65534', '--clear-groups'];
const NO_CAPABILITIES = ['--bounding-set', '-all', '--inh-caps', '-all', '--ambient-caps', '-all'];

export interface Finished {
  readonly code: number | null;
  readonly messages: readonly JsonMessage[];
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs bin/throughline to its end. */
export function throughline(args: readonly string[], before: readonly string[] = []): Finished {
  const [program = PROGRAM, ...rest] = [...before, PROGRAM, ...args];
  const { status, stdout, stderr, error } = spawnSync(program, rest, {
    encoding: 'utf8',
    maxBuffer: 256 << 20,
    timeout: 120_000 * SLOWNESS,
    env: { ...process.env, TZ: 'UTC' },
  });
  if (error) throw error;
  const messages = args.includes('--json')
    ? stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as JsonMessage)
    : [];
  return { code: status, messages, stdout, stderr };
}

/**
 * The command in front of a program that runs it without privilege: as nobody, or, where nobody may not look into this
 * checkout, as a root that has lost every capability.
 */
export function withoutPrivilege(): readonly string[] {
  if (!existsSync(SETPRIV)) throw new Error(`${SETPRIV} is missing (Debian package util-linux)`);
  const { status } = spawnSync(SETPRIV, [...NOBODY, PROGRAM, '--version']);
  if (status === 0) return [SETPRIV, ...NOBODY];
  console.error('nobody may not read this checkout: running as root without capabilities instead');
  return [SETPRIV, ...NO_CAPABILITIES];
}
