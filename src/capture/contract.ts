import type { Fact } from '../model/event.ts';

/**
 * Who knows more about what a fact names, but has to be asked, and answers at some later time: then as a fact of the
 * same stream.
 */
export interface FactSource {
  /** Looks whether there is something to ask. Never waits. */
  saw(fact: Fact): void;
  /** The next answer that has come; null: none. */
  take(): Fact | null;
}

/**
 * Where events go, whatever they come from: the live kernel or a recording. Calls come in the order of time as far as
 * the source knows it; facts precede the events that need them.
 */
export interface CaptureSink {
  fact(fact: Fact): void;
  /** One event's bytes: valid only during the call. `view` and `bytes` are the same memory. */
  event(bytes: Uint8Array, view: DataView, offset: number, size: number): void;
  /** All events up to this time (nanoseconds since boot) have been handed over. */
  tick(nowNs: number): void;
}
