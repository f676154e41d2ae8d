import type { CaptureSink } from '../capture/contract.ts';
import type { Fact } from '../model/event.ts';

const REPORTED_ERRORS = 5;

/**
 * No exception ends the agent: an event that the brain fails on is a bug, told a few times with its stack and counted,
 * and the next event is handled as if nothing had been.
 */
export class GuardedSink implements CaptureSink {
  errorCount = 0;
  readonly #next: CaptureSink;
  readonly #report: (text: string) => void;

  constructor(next: CaptureSink, report: (text: string) => void) {
    this.#next = next;
    this.#report = report;
  }

  fact(fact: Fact): void {
    this.attempt(() => this.#next.fact(fact));
  }

  event(bytes: Uint8Array, view: DataView, offset: number, size: number): void {
    // Written out: a closure for each event would cost more than the rest of this.
    try {
      this.#next.event(bytes, view, offset, size);
    } catch (error) {
      this.failed(error);
    }
  }

  tick(nowNs: number): void {
    this.attempt(() => this.#next.tick(nowNs));
  }

  /** Does something, and counts the error should it throw. */
  attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.failed(error);
    }
  }

  /** Counts an error and tells it, unless enough were told. */
  failed(error: unknown): void {
    this.errorCount++;
    if (this.errorCount > REPORTED_ERRORS) return;
    this.#report(
      `internal error, the event is passed over: ${error instanceof Error ? error.stack : String(error)}`,
    );
  }
}
