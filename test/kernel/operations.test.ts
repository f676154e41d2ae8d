/** The rules that come with it, while what they are about is done, and what they are to let pass: test/operations. */
import assert from 'node:assert/strict';
import { requireKernel } from '../support/kernel.ts';
import { categories } from '../support/operations/listing.ts';
import { perform } from '../support/operations/perform.ts';
import { testOperations } from '../support/operations/testing.ts';

requireKernel();

for (const category of categories())
  testOperations(category, async (steps) => {
    const { messages, failures } = await perform(steps);
    assert.deepEqual(failures, [], failures.join('\n'));
    return messages;
  });
