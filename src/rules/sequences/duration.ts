/** How long a unit is, in nanoseconds. */
const UNITS: Readonly<Record<string, number>> = { ms: 1e6, s: 1e9, m: 60e9, h: 3600e9, d: 86_400e9 };

/** "90s", "5m", "500ms" in nanoseconds; null for what is no time, or 0. */
export function parseDuration(text: string): number | null {
  const [, digits = '', unit = ''] = /^(\d{1,6})(ms|s|m|h|d)$/.exec(text.trim()) ?? [];
  const durationNs = Number(digits) * (UNITS[unit] ?? 0);
  return durationNs > 0 ? durationNs : null;
}

/** In the largest unit that it is a whole number of. */
export function durationText(durationNs: number): string {
  const [unit, lengthNs] = Object.entries(UNITS).findLast(([, one]) => durationNs % one === 0) ?? ['ms', 1e6];
  return `${durationNs / lengthNs}${unit}`;
}
