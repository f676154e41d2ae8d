/** The rules that come with it, while what they are about is done, and what they are to let pass: test/operations. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireKernel } from '../support/kernel.ts';
import { firedBySteps } from '../support/operations/judge.ts';
import { categories } from '../support/operations/listing.ts';
import { perform } from '../support/operations/perform.ts';
import { ofSandbox, replay } from '../support/operations/recordings.ts';
import { stepsOf } from '../support/operations/steps.ts';
import { testOperations } from '../support/operations/testing.ts';
import { readRecording, writeRecording } from '../support/recordings.ts';

requireKernel();

for (const category of categories())
  testOperations(category, async (listing) => {
    const directory = mkdtempSync(join(tmpdir(), 'throughline-operations-'));
    try {
      const path = join(directory, 'recording');
      const { messages, failures } = await perform(listing, path);
      assert.deepEqual(failures, [], failures.join('\n'));
      const live = firedBySteps(messages);
      for (const { name, title, expected } of stepsOf(listing)) {
        const rules = live.get(name)?.rules ?? [];
        for (const rule of expected) assert.ok(rules.includes(rule), `${title}: live, ${rule} did not fire`);
      }
      // That others fire is judged without what the rest of the host did meanwhile.
      const { header, frames } = readRecording(path);
      writeRecording(path, { header, frames: ofSandbox(frames) });
      return replay(path);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
