import { setTimeout as sleep } from 'node:timers/promises';
import type { OutputCounts } from '../../cli/contract.ts';
import type { LineOutput } from './outputs.ts';

export interface PostLimits {
  /** So many alerts may wait; the newest are dropped beyond. */
  readonly maxWaiting: number;
  /** One attempt takes so long at most, with the connection. */
  readonly timeoutMs: number;
  /** Pauses between the attempts for one alert. When they are used up, it is dropped. */
  readonly pausesMs: readonly number[];
  /** So long at most is delivered when everything ends. */
  readonly endMs: number;
}

const LIMITS: PostLimits = { maxWaiting: 1000, timeoutMs: 5000, pausesMs: [500, 2000, 5000], endMs: 5000 };

/** The listener will not take this alert however often it is sent, unless it is one of these. */
const PASSING_REFUSALS = new Set([408, 425, 429]);

/** Sends each alert in a POST request of its own, one after the other, in order. */
export class AlertPost implements LineOutput {
  readonly #url: string;
  readonly #limits: PostLimits;
  readonly #warn: (text: string) => void;
  readonly #waiting: string[] = [];
  readonly #ending = new AbortController();
  #sending: Promise<void> | null = null;
  #delivered = 0;
  #dropped = 0;
  /** Since the last that was delivered: told once. */
  #isFailing = false;

  constructor(url: string, warn: (text: string) => void, limits: PostLimits = LIMITS) {
    this.#url = url;
    this.#warn = warn;
    this.#limits = limits;
  }

  add(line: string): void {
    if (this.#waiting.length >= this.#limits.maxWaiting) {
      this.#dropped++;
      this.#tell('too many wait');
      return;
    }
    this.#waiting.push(line);
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = null;
    });
  }

  reopen(): void {
    // Each request stands for itself.
  }

  async end(): Promise<OutputCounts> {
    const timer = setTimeout(() => this.#ending.abort(), this.#limits.endMs);
    await this.#sending;
    clearTimeout(timer);
    return { name: shownUrl(this.#url), delivered: this.#delivered, dropped: this.#dropped };
  }

  async #sendAll(): Promise<void> {
    for (let line = this.#waiting.shift(); line !== undefined; line = this.#waiting.shift()) {
      if (await this.#deliver(line)) {
        this.#delivered++;
        this.#isFailing = false;
      } else this.#dropped++;
    }
  }

  async #deliver(line: string): Promise<boolean> {
    for (const pauseMs of [...this.#limits.pausesMs, null]) {
      if (this.#ending.signal.aborted) return false;
      const answer = await this.#post(line);
      if (answer === 'taken') return true;
      if (answer === 'refused' || pauseMs === null) return false;
      await sleep(pauseMs, undefined, { signal: this.#ending.signal }).catch(() => {});
    }
    return false;
  }

  async #post(line: string): Promise<'taken' | 'refused' | 'failed'> {
    const signal = AbortSignal.any([this.#ending.signal, AbortSignal.timeout(this.#limits.timeoutMs)]);
    try {
      const response = await fetch(this.#url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: line,
        // An alert goes to whom the user named and to nobody else.
        redirect: 'error',
        signal,
      });
      await response.body?.cancel();
      if (response.ok) return 'taken';
      this.#tell(`it answers ${response.status}`);
      const isForGood = response.status < 500 && !PASSING_REFUSALS.has(response.status);
      return isForGood ? 'refused' : 'failed';
    } catch (error) {
      this.#tell(reasonOf(error));
      return 'failed';
    }
  }

  #tell(why: string): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    this.#warn(
      `alerts cannot be sent to ${shownUrl(this.#url)}: ${why}; tried again, what is dropped is counted`,
    );
  }
}

/** Without what may be a secret: user, password, query. */
function shownUrl(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}
