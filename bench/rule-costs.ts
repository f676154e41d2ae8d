import { RuleEvents } from '../src/app/rule-events.ts';
import { loadRules } from '../src/rules/load/load-rules.ts';
import { RulesInForce } from '../src/rules/rules-in-force.ts';
import { RuleSource } from '../src/rules/text.ts';
import type { Mix } from './rules-mix.ts';

export const ROUNDS = 12;
export const ROUND_MS = 50;
const WARM_UP = 6;

const events = new RuleEvents({
  clock: { wallMs: (timeNs) => timeNs / 1e6 },
  hostname: 'bench',
  architecture: 'x64',
});

/** @throws where one of the rules is wrong */
export function rulesOf(sources: readonly RuleSource[]): RulesInForce {
  const { rules, files, hasErrors } = loadRules(sources, { isStrict: false });
  if (hasErrors) throw new Error(JSON.stringify(files.flatMap(({ errors }) => errors)));
  return new RulesInForce(rules, {
    matching: 'all',
    onBroken: (_, error) => {
      throw error;
    },
  });
}

export function ruleText(name: string, condition: string): string {
  return `- rule: ${name}\n  desc: d\n  condition: ${JSON.stringify(condition)}\n  output: o\n  priority: INFO\n`;
}

/** Rules with one condition each. */
export function rulesWith(...conditions: readonly string[]): RulesInForce {
  const text = conditions.map((condition, index) => ruleText(`r${index}`, condition)).join('');
  return rulesOf([new RuleSource('bench', text)]);
}

/** Time that this thread had a processor: how long others have it does not count. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** Nanoseconds to fill an event, and to run rules on it; null: to fill it alone. Of the fastest round: others disturb, and nobody helps. */
export function costOf(set: RulesInForce | null, mix: Mix): number {
  let matches = 0;
  const onMatch = () => void matches++;
  const run = () => {
    // The time of the events begins anew.
    set?.sequences.forget();
    for (const effect of mix) {
      const event = events.ofEffect(effect);
      if (event === null) continue;
      if (set === null) matches += event.type;
      else set.evaluate(event, onMatch);
    }
  };
  let fastest = Infinity;
  // The first rounds warm up.
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    let count = 0;
    let elapsed = 0;
    const start = cpuMs();
    while (elapsed < ROUND_MS) {
      run();
      count += mix.length;
      elapsed = cpuMs() - start;
    }
    if (round >= 0) fastest = Math.min(fastest, (elapsed * 1e6) / count);
  }
  return fastest;
}
