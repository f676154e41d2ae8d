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
  readonly makers?: MakerLayout;
  /** Where makers stand was not to be seen, but may be later. */
  readonly isUnfinished?: boolean;
}

/** Go: where it stands who made a goroutine, and which numbers were handed out until when. Offsets and addresses in bytes. */
export interface MakerLayout {
  /** In runtime.g. */
  readonly parentOffset: number;
  /** In runtime.p. */
  readonly cacheOffset: number;
  /** Of runtime.allp, a slice. */
  readonly processors: number;
  /** Of the last number that any processor has taken. */
  readonly taken: number;
}

export type UnitKind = 'go' | 'python';
