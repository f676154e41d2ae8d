import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { JsonMessage } from '../throughline.ts';
import { firedBySteps, type Fired } from './judge.ts';
import { readListing, type Listing } from './listing.ts';
import { stepsOf } from './steps.ts';

/**
 * One test for each step of a file of test/operations: exactly those rules fired that are to. What cannot be done stands
 * among them, as skipped, with the reason.
 *
 * @param alertsOf gives the alerts of the whole file; it is called once
 */
export function testOperations(
  category: string,
  alertsOf: (listing: Listing) => Promise<readonly JsonMessage[]>,
): void {
  const listing = readListing(category);
  const steps = stepsOf(listing);
  suite(`operations: ${category}`, () => {
    let fired: Promise<ReadonlyMap<string, Fired>>;
    const once = () => (fired ??= alertsOf(listing).then(firedBySteps));
    for (const { name, title, expected } of steps)
      test(title, async () => {
        const of = (await once()).get(name);
        assert.ok(of !== undefined, 'its marks were told');
        assert.deepEqual(of.rules, expected, of.outputs.join('\n'));
      });
    for (const { rule, reason } of listing.impossible)
      test(`${rule}: NOT TESTED ON A REAL OPERATION`, { skip: reason }, () => {});
    test('outside of the steps no rule fires', async () => {
      assert.deepEqual((await once()).get(''), undefined);
    });
  });
}
