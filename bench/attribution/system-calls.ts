import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sendLoad } from '../../test/support/load.ts';
import { familyOf } from './family.ts';
import { workTargetOf } from './mark.ts';
import type { MeasureContext } from './measure.ts';
import type { Server } from './serve.ts';

const STRACE = '/usr/bin/strace';
/** Few: strace stops the server at every call. */
const REQUESTS = 40;
const CONCURRENCY = 4;
const ATTACH_MS = 1500;
const STOP_MS = 5000;

/**
 * Counts the system calls of all threads of the server and of what it starts, for each request that does its work, with
 * strace. They are those of the server when little is going on: event loops wait less often when there is more.
 *
 * @returns null where strace is missing or may not attach
 */
export async function countSystemCalls(server: Server, { signal }: MeasureContext): Promise<number | null> {
  if (!existsSync(STRACE)) return null;
  const directory = await mkdtemp(join(tmpdir(), 'throughline-strace-'));
  try {
    const output = join(directory, 'counts');
    const pids = await familyOf(server.pids);
    const tracer = spawn(
      STRACE,
      ['-f', '-q', '-c', '-o', output, ...pids.flatMap((pid) => ['-p', String(pid)])],
      { stdio: 'ignore' },
    );
    const ended = once(tracer, 'exit');
    try {
      await sleep(ATTACH_MS, undefined, { signal });
      if (tracer.exitCode !== null) return null;
      await sendLoad({
        url: server.url,
        requests: REQUESTS,
        concurrency: CONCURRENCY,
        target: (id) => workTargetOf(id, server.path),
        timeoutMs: 60_000,
        signal,
      });
    } finally {
      tracer.kill('SIGINT');
      await Promise.race([ended, sleep(STOP_MS, undefined, { ref: false })]);
      tracer.kill('SIGKILL');
    }
    const total = readTotal(await readFile(output, 'utf8'));
    return total === null ? null : total / REQUESTS;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The calls in the closing line of `strace -c`: "100.00    1.234567          12     98765        12 total". */
export function readTotal(text: string): number | null {
  const [, calls] = /^100\.00\s+[\d.]+\s+\d+\s+(\d+)\s.*total$/m.exec(text) ?? [];
  return calls === undefined ? null : Number(calls);
}
