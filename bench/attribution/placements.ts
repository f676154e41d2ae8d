import type { EngineMessage } from '../../src/cli/contract.ts';
import { idIn } from '../../test/support/truth.ts';
import { markOf, type Mark, type MarkedEffect } from './mark.ts';

/** Where the product put an effect that carries a mark. */
export interface Placement extends Mark {
  /** Id of the product's request; null where it named none. */
  readonly request: string | null;
  readonly candidates: readonly string[];
  readonly grade: string;
  readonly reason: string;
}

/** Collects, out of what `trace --json` prints, just what is needed to judge it. */
export class Placements {
  readonly all: Placement[] = [];
  /** The product's request id to the id that was sent. */
  readonly #requests = new Map<string, string>();
  readonly losses: Record<string, number> = {};

  add(message: EngineMessage): void {
    switch (message.kind) {
      case 'request': {
        const id = idIn(message.target);
        if (id !== null) this.#requests.set(message.id, id);
        for (const effect of message.effects) this.#place(effect, effect, message.id, []);
        break;
      }
      case 'effect':
        this.#place(message.effect, message.effect, message.request, []);
        break;
      case 'orphan':
        this.#place(message.effect, message.effect, null, message.candidates);
        break;
      case 'loss':
        for (const [reason, count] of Object.entries(message.reasons))
          this.losses[reason] = (this.losses[reason] ?? 0) + count;
        break;
      case 'started':
      case 'progress':
      case 'finding':
      case 'event':
      case 'alert':
      case 'rules':
      case 'rule-problems':
        break;
    }
  }

  /** The id that was sent with a request of the product; null for requests of something else. */
  sentId(request: string): string | null {
    return this.#requests.get(request) ?? null;
  }

  #place(
    effect: MarkedEffect,
    { grade, reason }: { readonly grade: string; readonly reason: string },
    request: string | null,
    candidates: readonly string[],
  ): void {
    const mark = markOf(effect);
    if (mark !== null) this.all.push({ ...mark, request, candidates, grade, reason });
  }
}
