import type { Clock } from '../base/clock.ts';

/** Wall time of kernel times, from one pair of both that the capture took when it began. */
export class HostClock implements Clock {
  #offsetMs = 0;

  set(bootNs: number, wallMs: number): void {
    this.#offsetMs = wallMs - bootNs / 1e6;
  }

  wallMs(timeNs: number): number {
    return this.#offsetMs + timeNs / 1e6;
  }
}
