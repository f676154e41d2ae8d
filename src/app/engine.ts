import { release } from 'node:os';
import { MessageChannel, Worker } from 'node:worker_threads';
import { ThroughlineError } from '../base/errors.ts';
import type { Engine, EngineMessage, EngineOptions, RunSummary } from '../cli/contract.ts';
import { examineRuntimes } from '../containers/clients.ts';
import { DEFAULT_SOCKETS } from '../containers/sockets.ts';
import { answerContainerNames } from './container-names.ts';
import { examineHost } from './doctor.ts';
import { testRuleFolder } from './rule-tests/test-folder.ts';
import type { WorkerInput, WorkerPost } from './worker-contract.ts';

export interface EngineSetup {
  /** The checkout or installation: where build/ is. */
  readonly root: string;
  readonly version: string;
  /** Where warnings that are no results go. */
  readonly warn: (text: string) => void;
}

/** The engine that runs the brain in its own thread. */
export function createEngine(setup: EngineSetup): Engine {
  return {
    run: (options, onMessage) => runInWorker(setup, options, onMessage),
    testRules: testRuleFolder,
    examine: async ({ containerRuntimes } = {}) => ({
      ...examineHost(setup.root, setup.version, release()),
      containerRuntimes: await examineRuntimes(containerRuntimes),
    }),
  };
}

function runInWorker(
  setup: EngineSetup,
  options: EngineOptions,
  onMessage: (message: EngineMessage) => void,
): Promise<RunSummary> {
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const { signal, ...rest } = options;
  const channel = options.source.kind === 'live' ? new MessageChannel() : null;
  const sockets = options.containerRuntimes ?? DEFAULT_SOCKETS;
  const names = channel === null ? null : answerContainerNames(channel.port1, sockets, setup.warn);
  const containers = channel?.port2 ?? null;
  const input: WorkerInput = { options: rest, stop, containers, root: setup.root, version: setup.version };
  return new Promise<RunSummary>((resolve, reject) => {
    const worker = new Worker(new URL('./sensor-worker.ts', import.meta.url), {
      workerData: input,
      transferList: containers === null ? [] : [containers],
      // Most of what the brain allocates dies at once: a small young generation keeps the memory small.
      resourceLimits: { maxYoungGenerationSizeMb: 6 },
    });
    const end = (): void => {
      Atomics.store(stop, 0, 1);
    };
    if (signal.aborted) end();
    signal.addEventListener('abort', end, { once: true });
    worker.on('message', (post: WorkerPost) => {
      switch (post.type) {
        case 'messages':
          for (const message of post.messages) onMessage(message);
          break;
        case 'warning':
          setup.warn(post.text);
          break;
        case 'failed':
          reject(new ThroughlineError(post.code, post.detail));
          break;
        case 'done':
          resolve({ ...post.summary, containers: names === null ? null : { ...names.counters } });
          break;
      }
    });
    worker.on('error', (error) => {
      reject(
        new ThroughlineError(
          'TL9001',
          error instanceof Error ? (error.stack ?? error.message) : String(error),
        ),
      );
    });
    worker.on('exit', (code) => {
      signal.removeEventListener('abort', end);
      reject(new ThroughlineError('TL9001', `the sensor worker ended with code ${code}`));
    });
  }).finally(() => {
    names?.[Symbol.dispose]();
    channel?.port1.close();
  });
}
