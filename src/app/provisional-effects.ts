import type { OpenQuestion } from '../attribution/open-question.ts';
import type { Attribution, Effect } from '../model/effect.ts';

/** Findings wait, so not for long: what is not settled by then goes on as ambiguous. */
const MAX_WAIT_NS = 2e9;
const MAX_HELD = 20_000;

interface HeldEffect {
  readonly effect: Effect;
  readonly question: OpenQuestion;
  readonly dueNs: number;
  isReleased: boolean;
}

/**
 * Effects whose attribution is provisional: held back until the reply has told which request caused them, so that they
 * are shown and judged once. Those of one question go on in the order in which they came.
 */
export class ProvisionalEffects {
  readonly #release: (effect: Effect) => void;
  /** In order of time; those that were released stand here until their time is over. */
  #held: HeldEffect[] = [];
  #first = 0;
  readonly #byQuestion = new Map<OpenQuestion, HeldEffect[]>();

  constructor(release: (effect: Effect) => void) {
    this.#release = release;
  }

  hold(effect: Effect, question: OpenQuestion, nowNs: number): void {
    const held = { effect, question, dueNs: nowNs + MAX_WAIT_NS, isReleased: false };
    this.#held.push(held);
    const others = this.#byQuestion.get(question);
    if (others === undefined) this.#byQuestion.set(question, [held]);
    else others.push(held);
    if (this.#held.length - this.#first > MAX_HELD) this.#giveUpOldest();
  }

  /** The question is settled, or nothing will tell. */
  closed(question: OpenQuestion): void {
    const held = this.#byQuestion.get(question) ?? [];
    this.#byQuestion.delete(question);
    for (const one of held) {
      if (one.isReleased) continue;
      one.isReleased = true;
      // An effect is the pipeline's own until it goes on.
      if (question.answer !== null)
        (one.effect as { attribution: Attribution }).attribution = question.answer;
      this.#release(one.effect);
    }
  }

  tick(nowNs: number): void {
    for (;;) {
      const oldest = this.#held[this.#first];
      if (oldest === undefined || oldest.dueNs > nowNs) return;
      this.#giveUpOldest();
    }
  }

  /** Nothing follows. */
  flush(): void {
    while (this.#first < this.#held.length) this.#giveUpOldest();
  }

  #giveUpOldest(): void {
    const oldest = this.#held[this.#first];
    this.#first++;
    if (this.#first > 1024) {
      this.#held = this.#held.slice(this.#first);
      this.#first = 0;
    }
    if (oldest === undefined || oldest.isReleased) return;
    oldest.isReleased = true;
    const others = this.#byQuestion.get(oldest.question);
    // They were held in this order.
    if (others?.[0] === oldest) others.shift();
    if (others?.length === 0) this.#byQuestion.delete(oldest.question);
    this.#release(oldest.effect);
  }
}
