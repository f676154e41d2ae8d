/** What random servers are made of: chance, and a simulated server that knows the truth. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { SimulatedThread } from './simulated-kernel.ts';
import { Timeline, valueOf, type PlacedEffect } from './timeline.ts';

/** What chance decides, one number after the other, so that a failure shrinks to few decisions. */
export class Tape {
  readonly #numbers: readonly number[];
  #at = 0;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  get isOver(): boolean {
    return this.#at >= this.#numbers.length;
  }

  /** A whole number below the limit; 0 beyond the end of the tape. */
  below(limit: number): number {
    return (this.#numbers[this.#at++] ?? 0) % limit;
  }
}

export const tapes = fc.array(fc.nat({ max: 255 }), { minLength: 40, maxLength: 400, size: 'max' });

/** A simulated server that knows which request each of its effects is of. */
export class World {
  readonly timeline = new Timeline();
  readonly tape: Tape;
  readonly #compared: { readonly placed: PlacedEffect; readonly truth: string | null }[] = [];
  #names = 0;

  constructor(numbers: readonly number[]) {
    this.tape = new Tape(numbers);
  }

  get kernel() {
    return this.timeline.kernel;
  }

  /** Names that content evidence cannot confuse. */
  name(): string {
    return `request-${(++this.#names).toString().padStart(4, '0')}-x`;
  }

  /** Does something that has an effect and compares what is said about it with the truth. */
  effect(thread: SimulatedThread, truth: string | null): void {
    const { kernel, tape } = this;
    const isNamed = truth !== null && tape.below(4) === 0;
    switch (tape.below(3)) {
      case 0:
        kernel.open(thread, isNamed ? `/srv/${truth}` : '/srv/x');
        break;
      case 1:
        kernel.connect(thread, 5432);
        break;
      default: {
        const child = kernel.fork(thread);
        kernel.exec(child, isNamed ? ['id', truth] : ['id']);
        this.compare(truth);
        this.#subtree(child, truth);
        return;
      }
    }
    this.compare(truth);
  }

  #subtree(process: SimulatedThread, truth: string | null): void {
    if (this.tape.below(2) === 0) return;
    this.later.push(() => {
      this.kernel.open(process, '/tmp/x');
      this.compare(truth);
      const grandchild = this.kernel.fork(process);
      if (this.tape.below(2) === 0) {
        this.kernel.exec(grandchild, ['cat']);
        this.compare(truth);
      }
      this.kernel.exit(grandchild);
      this.compare(truth);
    });
  }

  /** What children do at some later time. */
  readonly later: (() => void)[] = [];

  runLater(): void {
    if (this.later.length > 0) this.later.splice(this.tape.below(this.later.length), 1)[0]?.();
  }

  compare(truth: string | null): void {
    const placed = this.timeline.effects.at(-1);
    assert.ok(placed);
    this.#compared.push({ placed, truth });
  }

  /** Of what was placed so far, and settled since. */
  get right(): number {
    return this.#compared.filter(({ placed, truth }) => {
      const { request } = placed.attribution;
      return request !== null && valueOf(request) === truth;
    }).length;
  }

  get abstained(): number {
    return this.#compared.filter(({ placed }) => placed.attribution.request === null).length;
  }

  get mistakes(): string[] {
    return this.#compared.flatMap(({ placed, truth }) => {
      const { request, grade, reason } = placed.attribution;
      if (request === null || valueOf(request) === truth) return [];
      return [`${grade} ${valueOf(request)} instead of ${truth ?? 'nothing'}: ${reason}`];
    });
  }
}

/** Runs the actors step by step in an order that the tape decides, until it is over; then each to its end. */
export function interleave(world: World, actors: Generator<void>[]): void {
  while (actors.length > 0) {
    const index = world.tape.below(actors.length);
    if (actors[index]?.next().done === true) actors.splice(index, 1);
    world.runLater();
  }
  while (world.later.length > 0) world.runLater();
}
