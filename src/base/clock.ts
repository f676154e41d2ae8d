/** Where the pure rooms take time from. */
export interface Clock {
  /** Nanoseconds since boot (CLOCK_BOOTTIME), the time of kernel events. */
  readonly nowNs: number;
  /** Unix time in milliseconds of a kernel time. */
  wallMs(timeNs: number): number;
}
