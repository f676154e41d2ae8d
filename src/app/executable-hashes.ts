import { receiveMessageOnPort, type MessagePort } from 'node:worker_threads';
import type { FactSource } from '../capture/contract.ts';
import { ExecutableHasher } from '../hashes/hasher.ts';
import type { HashQuestion } from '../model/executable.ts';
import type { Fact } from '../model/event.ts';

/**
 * Hashes of executables, between two threads: the sensor worker asks and never waits; the main thread reads the files and
 * answers. Answers are facts of the stream, so a recording has them.
 */

type HashFact = Extract<Fact, { kind: 'hash' }>;

/** The sensor worker's end. */
export class ExecutableHashes implements FactSource {
  readonly #port: MessagePort;
  #isTold = false;

  constructor(port: MessagePort) {
    this.#port = port;
  }

  ask(question: HashQuestion): void {
    this.#port.postMessage(question);
  }

  saw(): void {}

  /** First of all, that there are answers. */
  take(): Fact | null {
    if (!this.#isTold) {
      this.#isTold = true;
      return { kind: 'hashing' };
    }
    const answer: HashFact | undefined = receiveMessageOnPort(this.#port)?.message;
    return answer ?? null;
  }
}

/** The main thread's end. */
export function answerExecutableHashes(port: MessagePort): ExecutableHasher {
  const hasher = new ExecutableHasher((file, { sha256, problem }) =>
    port.postMessage({ kind: 'hash', file, sha256: sha256 ?? '', problem: problem ?? '' } satisfies HashFact),
  );
  port.on('message', (question: HashQuestion) => hasher.ask(question));
  // It does not keep the program from ending.
  port.unref();
  return hasher;
}
