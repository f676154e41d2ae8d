/** Where the pure rooms take time from. */
export interface Clock {
  /** Unix time in milliseconds of a kernel time, which is nanoseconds since boot (CLOCK_BOOTTIME). */
  wallMs(timeNs: number): number;
}
