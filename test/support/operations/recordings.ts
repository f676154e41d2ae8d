import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
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

/** What the rules that come with it say of the recording now, and the mark. */
export function replayOperations(category: string): readonly JsonMessage[] {
  const directory = mkdtempSync(join(tmpdir(), 'throughline-operations-'));
  try {
    const path = join(directory, 'recording');
    writeFileSync(path, brotliDecompressSync(readFileSync(operationsPath(category))));
    const { code, messages, stderr } = throughline(['replay', path, '--json', ...RULE_OPTIONS]);
    if (code !== 0) throw new Error(`replay ended with ${code}: ${stderr}`);
    return messages;
  } finally {
    rmSync(directory, { recursive: true });
  }
}
