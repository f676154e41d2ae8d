import { release } from 'node:os';
import { MessageChannel, MessagePort, Worker } from 'node:worker_threads';
import { ThroughlineError } from '../base/errors.ts';
import type { Engine, EngineMessage, EngineOptions, RunSummary } from '../cli/contract.ts';
import { examineRuntimes } from '../containers/clients.ts';
import { DEFAULT_SOCKETS } from '../containers/sockets.ts';
import { agentStatus } from './agent-status.ts';
import { alertOutputs } from './alerts/outputs.ts';
import { answerContainerNames } from './container-names.ts';
import { collectGarbage } from './collect-garbage.ts';
import { answerExecutableHashes } from './executable-hashes.ts';
import { examineHost } from './doctor.ts';
import type { WorkerInput, WorkerPost, WorkerRules } from './worker-contract.ts';

export interface EngineSetup {
  /** The checkout or installation: where build/ is. */
  readonly root: string;
  readonly version: string;
  /** Where warnings that are no results go. */
  readonly warn: (text: string) => void;
}

/** By then the beginning is over: what reading rules took is given back. */
const SETTLED_MS = 2000;

/** The engine that runs the brain in its own thread. */
export function createEngine(setup: EngineSetup): Engine {
  return {
    run: (options, onMessage) => runInWorker(setup, options, onMessage),
    // What reads YAML takes 10 MiB, and nobody else in this thread needs it.
    testRules: async (path) => (await import('./rule-tests/test-folder.ts')).testRuleFolder(path),
    examine: async ({ containerRuntimes } = {}) => ({
      ...examineHost(setup.root, setup.version, release()),
      containerRuntimes: await examineRuntimes(containerRuntimes),
      agents: await agentStatus(0),
    }),
    status: (sampleMs) => agentStatus(sampleMs),
  };
}

function runInWorker(
  setup: EngineSetup,
  options: EngineOptions,
  onMessage: (message: EngineMessage) => void,
): Promise<RunSummary> {
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const { signal, rules, alerts, ...rest } = options;
  const outputs = alertOutputs(alerts, setup.warn);
  const channel = options.source.kind === 'live' ? new MessageChannel() : null;
  const sockets = options.containerRuntimes ?? DEFAULT_SOCKETS;
  const names = channel === null ? null : answerContainerNames(channel.port1, sockets, setup.warn);
  const containers = channel?.port2 ?? null;
  const { findings } = options.wants;
  const mayAsk = options.source.kind === 'live' && (findings || options.hashesPrograms === true);
  const questions = mayAsk ? new MessageChannel() : null;
  const hasher = questions === null ? null : answerExecutableHashes(questions.port1);
  const hashes = questions?.port2 ?? null;
  const changes = rules === undefined ? null : new MessageChannel();
  const unsubscribe = rules?.onChange((files) => {
    changes?.port1.postMessage(files);
    for (const output of outputs) output.reopen();
  });
  const workerRules: WorkerRules | null =
    rules === undefined || changes === null
      ? null
      : {
          files: rules.files,
          matching: rules.matching,
          selections: rules.selections,
          changes: changes.port2,
        };
  const { root, version } = setup;
  const input: WorkerInput = { options: rest, stop, containers, hashes, rules: workerRules, root, version };
  setTimeout(collectGarbage, SETTLED_MS).unref();
  return new Promise<RunSummary>((resolve, reject) => {
    const worker = new Worker(new URL('./sensor-worker.ts', import.meta.url), {
      workerData: input,
      transferList: [containers, hashes, changes?.port2].filter((port) => port instanceof MessagePort),
      // Most of what the brain allocates dies at once: a small young generation keeps the memory small.
      resourceLimits: { maxYoungGenerationSizeMb: 6 },
    });
    let isDone = false;
    const end = (): void => {
      Atomics.store(stop, 0, 1);
    };
    if (signal.aborted) end();
    signal.addEventListener('abort', end, { once: true });
    worker.on('message', (post: WorkerPost) => {
      switch (post.type) {
        case 'messages':
          for (const message of post.messages) {
            if (message.kind === 'alert') for (const output of outputs) output.add(message);
            onMessage(message);
          }
          break;
        case 'warning':
          setup.warn(post.text);
          break;
        case 'refused':
          onMessage({ kind: 'rule-problems', problems: post.problems, isAtStart: true });
          reject(new ThroughlineError('TL4002', post.problems[0] ?? ''));
          break;
        case 'failed':
          reject(new ThroughlineError(post.code, post.detail));
          break;
        case 'done':
          isDone = true;
          // Alerts that wait are delivered, for as long as that may take.
          void Promise.all(outputs.map((output) => output.end())).then((counts) => {
            const { alerts: told } = post.summary;
            resolve({
              ...post.summary,
              containers: names === null ? null : { ...names.counters },
              hashes: hasher === null ? null : { ...hasher.counters },
              alerts: told === null ? null : { ...told, outputs: counts },
            });
          });
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
      if (!isDone) reject(new ThroughlineError('TL9001', `the sensor worker ended with code ${code}`));
    });
  }).finally(() => {
    names?.[Symbol.dispose]();
    channel?.port1.close();
    hasher?.[Symbol.dispose]();
    questions?.port1.close();
    unsubscribe?.();
    changes?.port1.close();
  });
}
