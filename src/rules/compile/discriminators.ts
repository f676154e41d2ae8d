import type { ByteString } from '../../base/bytes.ts';
import type { RuleEvent } from '../event.ts';
import type { Expression } from '../syntax.ts';
import { wordCheckOf, type CheckContext } from './check.ts';

/** A field that must have one of some values for a condition to be true: what rules are looked up by. */
export interface Discriminator {
  /** Of the field. */
  readonly key: string;
  readonly get: (event: RuleEvent) => ByteString | null;
  readonly values: ReadonlySet<ByteString>;
}

/** All that a condition has, by field; where a field is asked for twice, what is asked first. */
export function discriminatorsOf(
  condition: Expression,
  context: CheckContext,
): ReadonlyMap<string, Discriminator> {
  const found = new Map<string, Discriminator>();
  for (const part of condition.kind === 'and' ? condition.children : [condition]) {
    const discriminator = discriminatorOf(part, context);
    if (discriminator !== null && !found.has(discriminator.key)) found.set(discriminator.key, discriminator);
  }
  return found;
}

function discriminatorOf(part: Expression, context: CheckContext): Discriminator | null {
  if (part.kind === 'or') {
    const parts = part.children.map((child) => discriminatorOf(child, context));
    const [first] = parts;
    if (!first || !parts.every((one) => one?.key === first.key)) return null;
    return { ...first, values: new Set(parts.flatMap((one) => [...(one?.values ?? [])])) };
  }
  if (part.kind !== 'check') return null;
  const check = wordCheckOf(part, context);
  if (check === null || check.operator !== 'in') return null;
  const { access, key } = check.bound;
  if (access.shape !== 'single' || access.type !== 'string' || check.bound.cost > 1) return null;
  const { get } = access as { get: (event: RuleEvent) => ByteString | null };
  return { key, get, values: new Set(check.words) };
}

/** Names of the fields by whose value a condition can be looked up, with the number of values. */
export function lookupFields(condition: Expression): readonly string[] {
  const found = discriminatorsOf(condition, { variant: ANY_EVENT, warn: () => {} });
  return [...found.values()].map(({ key, values }) => `${key} (${values.size})`);
}

/** A variant that no event has: what depends on the variant is left out. */
const ANY_EVENT = { type: -1, openMode: undefined };
