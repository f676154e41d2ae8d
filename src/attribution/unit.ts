/** bpf/lib/unit.h: UNIT_BITS. */
const MAX_THREAD = 2 ** 31 - 1;

/** Whether what executes is a thread, and no goroutine or task that a program's own scheduler runs on one. */
export function isThread(unit: number): boolean {
  return unit <= MAX_THREAD;
}
