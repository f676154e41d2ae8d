import { startThroughline, type JsonMessage } from '../throughline.ts';
import { MARK } from './judge.ts';
import type { Listing } from './listing.ts';
import { RULE_OPTIONS } from './rule-options.ts';
import { Sandbox } from './sandbox.ts';
import { filesOf, stepsOf } from './steps.ts';

export interface Performance {
  readonly messages: readonly JsonMessage[];
  /** What steps printed that did not end well. */
  readonly failures: readonly string[];
}

/** Does all that a listing says in one sandbox while the agent watches. @param recordTo also record to this file */
export async function perform(listing: Listing, recordTo: string | null = null): Promise<Performance> {
  const steps = stepsOf(listing);
  await using sandbox = await Sandbox.start(filesOf(steps), listing.packages);
  const record = recordTo === null ? [] : ['--record', recordTo];
  await using agent = await startThroughline(['run', '--json', ...RULE_OPTIONS, ...record]);
  const failures: string[] = [];
  for (const { name, title } of steps) {
    const { status, output } = await sandbox.run(name);
    if (status !== 0) failures.push(`${title} ended with ${status}:\n${output}`);
  }
  const last = `operation ends ${steps.at(-1)?.name}`;
  await agent.waitFor(
    ({ kind, rule, output }) => kind === 'alert' && rule === MARK && String(output).endsWith(last),
  );
  await agent.stop();
  return { messages: agent.messages, failures };
}
