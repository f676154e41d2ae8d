/**
 * Makes the recordings of test/fixtures/operations anew, as root: does what test/operations says while the agent records.
 *
 *   node test/update-operations.ts [CATEGORY...]
 *
 * Only the processes of the sandbox stay in them, and nothing tells on which machine they were made.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { requireKernel } from './support/kernel.ts';
import { firedBySteps } from './support/operations/judge.ts';
import { categories, readListing } from './support/operations/listing.ts';
import { perform } from './support/operations/perform.ts';
import { compress, operationsPath, replayOperations } from './support/operations/recordings.ts';
import { stepsOf } from './support/operations/steps.ts';
import { factOf, readRecording, recordingBytes, type Frame } from './support/recordings.ts';
import { assertAnonymous, KERNEL, scrub, type ProcessFact } from './support/scrub.ts';

/** The sandbox's first process: what it has started is what is recorded. */
function rootOf(frames: readonly Frame[]): number {
  for (const frame of frames) {
    const fact = factOf(frame);
    if (fact?.kind === 'process' && fact.argv.includes('/ops/runner.sh')) return fact.pid;
  }
  throw new Error('the sandbox is not in the recording');
}

/** Programs for modules look into the folder of the kernel's release, whatever it is: as many other bytes stand there. */
function withoutRelease(frame: Frame): Frame {
  const here = Buffer.from(release());
  const text = frame.content.toString('latin1');
  if (!text.includes(release())) return frame;
  const other = KERNEL.slice(0, here.length).padEnd(here.length, '0');
  return { ...frame, content: Buffer.from(text.replaceAll(release(), other), 'latin1') };
}

async function record(category: string): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'throughline-operations-'));
  try {
    const path = join(directory, 'recording');
    const steps = stepsOf(readListing(category));
    const { failures } = await perform(steps, path);
    if (failures.length > 0) throw new Error(failures.join('\n'));
    const { header, frames } = readRecording(path);
    const root = rootOf(frames);
    const ancestor = (fact: ProcessFact): ProcessFact | null =>
      fact.pid === root ? { ...fact, parentPid: 1 } : null;
    const scrubbed = scrub(frames, { root, ancestor, hasOwnCgroup: true }).map(withoutRelease);
    assertAnonymous(category, scrubbed);
    const bytes = recordingBytes({ header: { ...header, kernel: KERNEL }, frames: scrubbed });
    const size = compress(bytes, category);
    console.log(`${category}: ${scrubbed.length} entries, ${bytes.length} bytes, ${size} compressed`);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** What fired while each step was done, where that is not what is to. */
function report(category: string): void {
  const fired = firedBySteps(replayOperations(category));
  for (const { name, title, expected } of stepsOf(readListing(category))) {
    const { rules = [], outputs = [] } = fired.get(name) ?? {};
    if (rules.join() === expected.join()) continue;
    console.log(`  ${title}: ${rules.join(', ') || 'nothing'}; expected ${expected.join(', ') || 'nothing'}`);
    for (const output of outputs) console.log(`    ${output}`);
  }
}

requireKernel();
const chosen = process.argv.slice(2);
for (const category of chosen.length > 0 ? chosen : categories()) {
  mkdirSync(dirname(operationsPath(category)), { recursive: true });
  await record(category);
  report(category);
}
