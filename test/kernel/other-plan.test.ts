/**
 * What is told must not depend on the plan: tests that concern opens, connects and accepts, once more under each plan that this
 * kernel has beside its default. That of a plan which it has not is refused, with the reason.
 */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { PLAN_VARIABLE, PLANS } from '../../src/kernel/plan.ts';
import { requireKernel } from '../support/kernel.ts';
import { plansHere } from '../support/plans.ts';
import { Throughline } from '../support/throughline.ts';

requireKernel();

/** With commas between: which of the files, where not all are to be run. */
const FILES = (process.env['TEST_PLAN_FILES'] ?? 'events,io-uring,techniques,evasion').split(',');
const here = plansHere();

for (const plan of here.all) {
  if (plan === here.default) continue;
  for (const file of FILES)
    suite(`${plan}: ${file}`, async () => {
      before(() => {
        process.env[PLAN_VARIABLE] = plan;
      });
      after(() => {
        delete process.env[PLAN_VARIABLE];
      });
      // Another instance of the same file, with tests of its own.
      await import(`./${file}.test.ts?plan=${plan}`);
    });
}

/** What an agent says that is asked for a plan, and refuses. */
async function refusal(plan: string): Promise<string> {
  await using throughline = new Throughline(['events', '--json'], { env: { [PLAN_VARIABLE]: plan } });
  const { code, stderr } = await throughline.ended();
  assert.ok(code !== null && code > 0, `exit code ${code}`);
  return stderr;
}

for (const plan of PLANS) {
  if (here.all.includes(plan)) continue;
  test(`${plan}: not on this kernel, and refused`, async () => {
    assert.match(await refusal(plan), new RegExp(`TL1008 .*${PLAN_VARIABLE} is ${plan}, but of network, `));
  });
}

test('a plan that there is not is refused', async () => {
  const said = /TL3002 .*THROUGHLINE_PLAN is kprobes, which is none of system-calls, trampolines/;
  assert.match(await refusal('kprobes'), said);
});
