/**
 * The demo: starts the vulnerable service, uses it, attacks it. What Throughline makes of it shows in the terminal
 * where that runs. Needs no privilege, and nothing leaves 127.0.0.1.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openListener } from './listener.ts';
import { demoSteps, type Step } from './steps.ts';

const HELP = `Attacks a small, deliberately vulnerable web service on 127.0.0.1, harmlessly.

  make demo                          the story of one command injection
  make demo ARGS='--traversal'       a path traversal as well

Options:
  --traversal   also read a file outside the service's directory
  --port N      port of the service (default: a free one)
  --json        print one JSON object a line
  --help        this text

Watch it with Throughline, started first in another terminal: sudo make run
`;

const START_TIMEOUT_MS = 15_000;
const REQUEST_TIMEOUT_MS = 10_000;
/** Between requests, so that a reader can follow. */
const PAUSE_MS = 200;

interface Outcome {
  readonly status: number;
  readonly body: string;
}

/** What is told about the demo, for people or for programs. */
interface Narrator {
  start(service: { url: string; pid: number }): void;
  sending(step: Step): void;
  outcome(step: Step, outcome: Outcome): void;
  connected(message: string | null): void;
  end(): void;
}

function textNarrator(): Narrator {
  return {
    start: ({ url, pid }) => {
      console.log(`A vulnerable service listens on ${url} (process ${pid}).`);
      console.log(
        'Throughline tells what it sees where it runs; if it does not run yet, stop this with Ctrl-C',
      );
      console.log('and start it in another terminal: sudo make run\n');
    },
    sending: (step) => {
      console.log(`> ${step.name}`);
      if (step.payload !== null) console.log(`  payload   ${step.payload}`);
      console.log(`  GET ${step.target}`);
    },
    outcome: (step, { status, body }) => {
      const lines = body.trimEnd().split('\n');
      console.log(
        `  ${status}  ${lines.slice(0, 4).join('\n       ')}${lines.length > 4 ? '\n       ...' : ''}`,
      );
      console.log(`  expect    ${expectation(step)}\n`);
    },
    connected: (message) => {
      if (message === null) console.log('The injected command made no connection: is bash installed?\n');
      else console.log(`The injected command connected back and said: ${JSON.stringify(message)}\n`);
    },
    end: () => {
      console.log(
        'Done. Throughline should show one EXPLOITED finding for each vulnerable endpoint that was attacked,',
      );
      console.log('at most PROBED for the safe ones, and nothing for the ordinary requests.');
    },
  };
}

function expectation(step: Step): string {
  if (step.expected === null) return `nothing: ${step.why}`;
  return `${step.expected === 'PROBED' ? 'at most PROBED' : step.expected}: ${step.why}`;
}

function jsonNarrator(): Narrator {
  const print = (value: object): void => console.log(JSON.stringify(value));
  return {
    start: (service) => print({ kind: 'service', ...service }),
    sending: () => {},
    outcome: (step, outcome) => print({ kind: 'request', method: 'GET', ...step, ...outcome }),
    connected: (message) => print({ kind: 'connection', message }),
    end: () => print({ kind: 'end' }),
  };
}

/** Starts the service as a child and waits for its address. */
async function startService(port: number): Promise<{ child: ChildProcess; url: string; pid: number }> {
  // A bash whose standard input is a socket takes itself for a remote shell when SHLVL says that it is the outermost one
  // (sudo removes the variable), and reads ~/.bashrc: programs in it would be part of the story.
  const env = { ...process.env, SHLVL: '1' };
  const child = fork(join(import.meta.dirname, 'service.ts'), ['--port', String(port)], {
    env,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const started = Promise.withResolvers<string>();
  child.once('message', (message) => {
    if (typeof message === 'object' && 'url' in message) started.resolve(String(message.url));
  });
  child.once('error', started.reject);
  child.once('exit', (code) => started.reject(new Error(`the service did not start (exit code ${code})`)));
  const timer = setTimeout(
    () => started.reject(new Error('the service did not start in time')),
    START_TIMEOUT_MS,
  );
  try {
    return { child, url: await started.promise, pid: child.pid ?? 0 };
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function send(url: string, step: Step): Promise<Outcome> {
  const response = await fetch(url + step.target, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
  return { status: response.status, body: await response.text() };
}

async function run(options: { port: number; isJson: boolean; withTraversal: boolean }): Promise<void> {
  const narrator = options.isJson ? jsonNarrator() : textNarrator();
  await using listener = await openListener();
  const { child, url, pid } = await startService(options.port);
  const stop = (): void => {
    child.kill('SIGTERM');
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      stop();
      process.exit(130);
    });
  }
  try {
    narrator.start({ url, pid });
    const file = existsSync('/etc/hostname') ? '/etc/hostname' : '/etc/os-release';
    for (const step of demoSteps({
      listenerPort: listener.port,
      file,
      withTraversal: options.withTraversal,
    })) {
      if (!options.isJson) await sleep(PAUSE_MS);
      narrator.sending(step);
      narrator.outcome(step, await send(url, step));
      if (step.name === 'command injection, vulnerable endpoint')
        narrator.connected(await listener.received(2000));
    }
    narrator.end();
  } finally {
    stop();
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '0' },
      json: { type: 'boolean', default: false },
      traversal: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP.trimEnd());
    return;
  }
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`not a port: ${values.port}`);
  await run({ port, isJson: values.json, withTraversal: values.traversal });
}

try {
  await main();
} catch (error) {
  console.error(`demo: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
