import type { RuntimeCost, Unavailable } from './cell.ts';
import type { Origin, RuntimeFigures } from './figures.ts';

/** docs/bench-attribution.json: the figures that the document is made from. */
export interface KeptResults {
  readonly runtimes: readonly RuntimeFigures[];
  /** Servers without figures, and why. */
  readonly unavailable: readonly Unavailable[];
}

const SCHEMA = 1;

/** @throws for text that is none of ours */
export function parseResults(text: string): KeptResults {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || !('schema' in value) || value.schema !== SCHEMA)
    throw new Error(`results of the attribution bench, but not of schema ${SCHEMA}`);
  const { runtimes, unavailable } = value as unknown as KeptResults;
  return { runtimes, unavailable };
}

/** A line for each runtime: what was not measured anew shows no difference. */
export function resultsText({ runtimes, unavailable }: KeptResults): string {
  const list = (items: readonly unknown[]): string =>
    items.length === 0 ? '[]' : `[\n${items.map((item) => JSON.stringify(item, shortened)).join(',\n')}\n]`;
  return `{ "schema": ${SCHEMA},\n"runtimes": ${list(runtimes)},\n"unavailable": ${list(unavailable)} }\n`;
}

/** Six digits tell all that was measured. */
function shortened(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;
}

/**
 * Puts the figures of a run in place of older ones of the same runtimes. Those that were not part of the run, or could
 * not be measured this time, keep theirs; so do the costs where only attribution was measured.
 *
 * @param order names of all runtimes that there are; figures of others go
 */
export function mergeResults(before: KeptResults, run: KeptResults, order: readonly string[]): KeptResults {
  const runtimes = order.flatMap((name) => {
    const [found, older] = [run, before].flatMap((results) =>
      results.runtimes.filter((one) => one.name === name),
    );
    if (found === undefined) return [];
    return older === undefined ? [found] : [withCostOf(found, older)];
  });
  const unavailable = order.flatMap((name) => {
    if (runtimes.some((runtime) => runtime.name === name)) return [];
    return [run, before]
      .flatMap((results) => results.unavailable.filter((one) => one.name === name))
      .slice(0, 1);
  });
  return { runtimes, unavailable };
}

/** Puts new costs beside the figures that there are. Servers of which nothing else is known get none. */
export function withCosts(
  before: KeptResults,
  costs: readonly RuntimeCost[],
  costOrigin: Origin,
): KeptResults {
  const runtimes = before.runtimes.map((figures) => {
    const found = costs.find(({ name }) => name === figures.name);
    return found === undefined
      ? figures
      : { ...figures, systemCalls: found.systemCalls, cost: found.cost, costOrigin };
  });
  return { ...before, runtimes };
}

function withCostOf(figures: RuntimeFigures, older: RuntimeFigures): RuntimeFigures {
  const hasCost = ({ cost, systemCalls }: RuntimeFigures): boolean => cost.length > 0 || systemCalls !== null;
  if (hasCost(figures) || !hasCost(older)) return figures;
  const { cost, systemCalls, costOrigin = older.origin } = older;
  return { ...figures, cost, systemCalls, costOrigin };
}
