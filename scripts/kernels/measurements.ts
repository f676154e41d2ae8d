import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** How a kernel went when it was last measured, and all went well: docs/kernels.json has one of each. */
export interface Measurement {
  /** The choice's name: 6.1, newest. */
  readonly kernel: string;
  /** As `uname -r` said. */
  readonly release: string;
  /** YYYY-MM-DD, in UTC. */
  readonly day: string;
  /** What ran there: {@link programsHash}. */
  readonly programs: string;
  readonly isRefused: boolean;
  readonly elapsedMs: number;
  /** In their order; no time where one failed. */
  readonly tests: readonly { readonly name: string; readonly ms: number | null }[];
  readonly features: readonly { readonly name: string; readonly answer: string }[];
}

/** Written by {@link formatMeasurements}, so it is what it says. */
export function parseMeasurements(text: string): Measurement[] {
  return JSON.parse(text) as Measurement[];
}

export function formatMeasurements(measurements: readonly Measurement[]): string {
  return `${JSON.stringify(measurements, null, 1)}\n`;
}

/**
 * Puts new measurements in the place of those of the same kernels; the others stay.
 * @param order names of the kernels that are tested; what is of none of them goes
 */
export function merge(
  kept: readonly Measurement[],
  measured: readonly Measurement[],
  order: readonly string[],
): Measurement[] {
  const byName = new Map([...kept, ...measured].map((one) => [one.kernel, one]));
  return order.flatMap((name) => byName.get(name) ?? []);
}

/** Names the sources of the kernel side by their content: where it differs, other programs were measured. 8 hexadecimal digits. */
export function programsHash(root: string): string {
  const hash = createHash('sha256');
  const names = readdirSync(join(root, 'bpf'), { recursive: true, encoding: 'utf8' });
  for (const name of names.filter((one) => /\.[ch]$/.test(one)).toSorted())
    hash
      .update(`${name}\0`)
      .update(readFileSync(join(root, 'bpf', name)))
      .update('\0');
  return hash.digest('hex').slice(0, 8);
}
