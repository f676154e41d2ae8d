import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import { factOf, type Frame } from '../recordings.ts';
import { scrub, type ProcessFact } from '../scrub.ts';
import { throughline } from '../replay.ts';
import type { JsonMessage } from '../throughline.ts';
import { RULE_OPTIONS } from './rule-options.ts';

const DIRECTORY = join(import.meta.dirname, '..', '..', 'fixtures', 'operations');
const { BROTLI_PARAM_LGWIN, BROTLI_PARAM_QUALITY, BROTLI_MAX_QUALITY, BROTLI_MAX_WINDOW_BITS } = constants;

/** The recording of what a file of test/operations does, compressed: opens of libraries are most of it. */
export function operationsPath(category: string): string {
  return join(DIRECTORY, `${category}.tlrec.br`);
}

export function compress(recording: Buffer, category: string): number {
  const bytes = brotliCompressSync(recording, {
    params: { [BROTLI_PARAM_QUALITY]: BROTLI_MAX_QUALITY, [BROTLI_PARAM_LGWIN]: BROTLI_MAX_WINDOW_BITS },
  });
  writeFileSync(operationsPath(category), bytes);
  return bytes.length;
}

/** Of a recording only what the sandbox did. */
export function ofSandbox(frames: readonly Frame[]): Frame[] {
  const root = rootOf(frames);
  const ancestor = (fact: ProcessFact): ProcessFact | null =>
    fact.pid === root ? { ...fact, parentPid: 1 } : null;
  return scrub(frames, { root, ancestor, hasOwnCgroup: true });
}

/** The sandbox's first process: what it has started is what is recorded. */
function rootOf(frames: readonly Frame[]): number {
  for (const frame of frames) {
    const fact = factOf(frame);
    if (fact?.kind === 'process' && fact.argv.includes('/ops/runner.sh')) return fact.pid;
  }
  throw new Error('the sandbox is not in the recording');
}

/** What the rules that come with it say of a recording, and the marks. */
export function replay(path: string): readonly JsonMessage[] {
  const { code, messages, stderr } = throughline(['replay', path, '--json', ...RULE_OPTIONS]);
  if (code !== 0) throw new Error(`replay ended with ${code}: ${stderr}`);
  return messages;
}

export function replayOperations(category: string): readonly JsonMessage[] {
  const directory = mkdtempSync(join(tmpdir(), 'throughline-operations-'));
  try {
    const path = join(directory, 'recording');
    writeFileSync(path, brotliDecompressSync(readFileSync(operationsPath(category))));
    return replay(path);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
