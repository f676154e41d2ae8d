/** Linear interpolation between the nearest ranks; `fraction` from 0 to 1. NaN for no values. */
export function quantile(values: readonly number[], fraction: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const position = (sorted.length - 1) * fraction;
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  return below + (above - below) * (position - Math.floor(position));
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export interface Spread {
  readonly median: number;
  readonly minimum: number;
  readonly maximum: number;
}

export function spread(values: readonly number[]): Spread {
  return { median: median(values), minimum: quantile(values, 0), maximum: quantile(values, 1) };
}

export interface Pair {
  readonly without: number;
  readonly with: number;
}

/**
 * What the agent changes, as with / without. Each pair was measured one right after the other, so a machine that gets
 * slower during the run changes both sides of a pair alike; only then is the median taken.
 */
export function pairedRatio(pairs: readonly Pair[]): Spread {
  return spread(pairs.map((pair) => pair.with / pair.without));
}
