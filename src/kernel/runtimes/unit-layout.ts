/**
 * How a process keeps what its own scheduler runs on a thread: bpf/lib/unit.h. From the thread's base of thread-local storage
 * to a pointer, and from where that points to the identity of the goroutine or context.
 */
export interface UnitLayout {
  readonly kind: UnitKind;
  /** Bytes, may be negative. */
  readonly threadOffset: number;
  readonly memberOffset: number;
  /** Its event loop reads before it enters the connection's context (uvloop). */
  readonly readsOutside?: boolean;
}

export type UnitKind = 'go' | 'python';
