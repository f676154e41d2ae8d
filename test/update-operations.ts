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
import { EVENT_KIND, OPEN_EVENT } from '../src/abi/abi.gen.ts';
import { requireKernel } from './support/kernel.ts';
import { firedBySteps } from './support/operations/judge.ts';
import { categories, readListing } from './support/operations/listing.ts';
import { perform } from './support/operations/perform.ts';
import { compress, ofSandbox, operationsPath, replayOperations } from './support/operations/recordings.ts';
import { stepsOf } from './support/operations/steps.ts';
import { headOf, readRecording, recordingBytes, type Frame } from './support/recordings.ts';
import { assertAnonymous, KERNEL } from './support/scrub.ts';

/** asm-generic/fcntl.h */
const O_ACCMODE = 3;
/** In the path as it was passed, or in the kernel's, whose components stand from the leaf to the root. */
const SYSTEM_FILE = /\/(?:lib|share)\/|\0(?:lib|share)\0usr|ld\.so\.cache|dpkg\0lib\0var/;

/**
 * Of ordinary work, files of the system that are opened to be read are nearly all: those of libraries, of locales and of the
 * package manager are left out of its recording. The test with a kernel sees them.
 */
function isNoise(frame: Frame): boolean {
  if (headOf(frame)?.kind !== EVENT_KIND.OPEN) return false;
  const isRead = (frame.content.readUInt32LE(OPEN_EVENT.open_flags) & O_ACCMODE) === 0;
  return isRead && SYSTEM_FILE.test(frame.content.toString('latin1'));
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
    const { failures } = await perform(readListing(category), path);
    if (failures.length > 0) throw new Error(failures.join('\n'));
    const { header, frames } = readRecording(path);
    const scrubbed = ofSandbox(frames)
      .filter((frame) => category !== 'ordinary' || !isNoise(frame))
      .map(withoutRelease);
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
