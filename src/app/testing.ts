/** What the tests of plain exchanges share: one brain that reads everything beside one that leaves plain exchanges out. */
import { encodeEvent } from '../abi/testing.ts';
import {
  SimulatedKernel,
  type SimulatedConnection,
  type SimulatedThread,
} from '../attribution/testing/simulated-kernel.ts';
import { byteString } from '../base/bytes.ts';
import type { Detector } from '../detect/contract.ts';
import type { Effect } from '../model/effect.ts';
import type { KernelEvent } from '../model/event.ts';
import { Pipeline } from './pipeline.ts';
import { PROTOCOLS } from './registry.ts';

/** A brain whose attributions are written down, reading everything or leaving plain exchanges out. */
export class Brain {
  readonly effects: string[] = [];
  /** Target and body of each request that detectors were shown. */
  readonly requests: string[] = [];
  readonly pipeline: Pipeline;

  constructor(readsAll: boolean) {
    const spy: Detector = {
      name: 'spy',
      onEffect: (effect) => {
        this.effects.push(describeEffect(effect));
        return [];
      },
      onRequest: ({ message }) => {
        this.requests.push(`${message.target} ${byteString(message.body)}`);
        return [];
      },
    };
    this.pipeline = new Pipeline({
      protocols: PROTOCOLS,
      detectors: [spy],
      wants: { findings: true, requests: readsAll, events: false },
      output: {
        event: () => undefined,
        finding: () => undefined,
        request: () => undefined,
        lateEffect: () => undefined,
        orphan: () => undefined,
        loss: () => undefined,
        ignoreConnection: () => undefined,
        failed: (error) => {
          throw error;
        },
      },
    });
    this.pipeline.fact({ kind: 'clock', bootNs: 1, wallMs: 1 });
  }

  feed(event: KernelEvent): void {
    const bytes = encodeEvent(event);
    this.pipeline.event(bytes, new DataView(bytes.buffer), 0, bytes.length);
  }
}

function describeEffect({ type, attribution }: Effect): string {
  const { grade, reason, request, candidates } = attribution;
  const ids = candidates.map(({ id }) => id).toSorted();
  const status = request === null ? '' : `${request.status} ${request.startedNs} ${request.endedNs}`;
  return `${type} ${grade} ${request?.id} ${status} of ${ids.join(' ')}: ${reason}`;
}

/** Both brains, fed with the same events. */
export class Pair {
  readonly whole = new Brain(true);
  readonly lazy = new Brain(false);
  /** The event that was told last. */
  last: KernelEvent | null = null;
  readonly kernel = new SimulatedKernel((event) => this.both(event));

  both(event: KernelEvent): void {
    this.last = event;
    this.whole.feed(event);
    this.lazy.feed(event);
  }

  /** A loop that has served enough for its process to be known. */
  settledLoop(connections: number, requests = 80): { loop: SimulatedThread; clients: SimulatedConnection[] } {
    const loop = this.kernel.process();
    this.kernel.epollWait(loop);
    const clients = Array.from({ length: connections }, () => this.kernel.accept(loop));
    for (let count = 0; count < requests; count++) {
      const client = clients[count % connections];
      if (client === undefined) continue;
      this.kernel.epollWait(loop);
      this.get(loop, client, `/warm/${count}`);
      this.ok(loop, client);
    }
    return { loop, clients };
  }

  get(thread: SimulatedThread, client: SimulatedConnection, target: string, cookie?: string): void {
    const cookieLine = cookie === undefined ? '' : `Cookie: ${cookie}\r\n`;
    this.kernel.read(thread, client, `GET ${target} HTTP/1.1\r\nHost: app\r\n${cookieLine}\r\n`);
  }

  ok(thread: SimulatedThread, client: SimulatedConnection): void {
    this.kernel.write(thread, client, 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  }
}
