import { readFileSync } from 'node:fs';

const POSSIBLE = '/sys/devices/system/cpu/possible';

/** Processors that the kernel may ever use: one more than the highest number, also where some are missing or offline. */
export function possibleProcessors(): number {
  return parseProcessorList(readFileSync(POSSIBLE, 'latin1'));
}

/** A list such as "0-3,8" (Documentation/admin-guide/cputopology.rst). */
export function parseProcessorList(list: string): number {
  const highest = list
    .trim()
    .split(/[,-]/u)
    .map(Number)
    .filter((number) => Number.isInteger(number));
  return Math.max(0, ...highest) + 1;
}
