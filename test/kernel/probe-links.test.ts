import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { Agent, request as send } from 'node:https';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { LiveCapture } from '../../src/capture/live.ts';
import type { FeatureName } from '../../src/kernel/features.ts';
import { native } from '../../src/kernel/libbpf.ts';
import { createBrain } from '../support/brain.ts';
import { requireKernel } from '../support/kernel.ts';
import { loadHere } from '../support/sensors.ts';
import { startServer } from '../support/server.ts';

requireKernel();

/** The kernel takes some 60 ms for a link. They go at the same time, except with perf events, where it holds a lock. */
const DETACH_LIMIT_MS = 1000;

/** How many links of each type this process has. */
function linkCounts(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of readdirSync('/proc/self/fdinfo')) {
    const type = /^link_type:\s*(\S+)/m.exec(infoOf(name))?.[1];
    if (type !== undefined) counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  return counts;
}

function infoOf(descriptor: string): string {
  try {
    return readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8');
  } catch {
    return ''; // the one that the list itself was read from
  }
}

function load(without: readonly FeatureName[]) {
  return loadHere({ without });
}

function get(url: string): Promise<number> {
  return new Promise((done, failed) => {
    const agent = new Agent({ rejectUnauthorized: false });
    send(url, { agent }, (response) => {
      response.resume().on('end', () => {
        agent.destroy();
        done(response.statusCode ?? 0);
      });
    })
      .on('error', failed)
      .end();
  });
}

const isMultiKnown = (): boolean => {
  using sensors = load([]);
  return sensors.features['uprobe-multi'].answer === 'supported';
};

suite('probes of a library', () => {
  const ways = [
    { name: 'a link for each program', without: [], type: 'uprobe_multi', skip: !isMultiKnown() },
    { name: 'a link for each probe', without: ['uprobe-multi'], type: 'perf', skip: false },
  ] as const;
  for (const { name, without, type, skip } of ways)
    test(
      `${name}: TLS is read, and all probes are off at the end`,
      {
        skip: skip ? 'this kernel has no uprobe_multi' : false,
      },
      async (t) => {
        await using server = await startServer('node', 1, true);
        using sensors = load(without);
        const before = linkCounts();
        const { pipeline, messages } = createBrain();
        const live = new LiveCapture(native(), sensors, pipeline);
        const startedAt = performance.now();
        live.begin();
        t.diagnostic(`attached in ${(performance.now() - startedAt).toFixed(0)} ms`);
        const during = linkCounts();
        assert.ok((during.get(type) ?? 0) > (before.get(type) ?? 0), JSON.stringify([...during]));
        for (const other of ways)
          if (other.type !== type) assert.equal(during.get(other.type), before.get(other.type));
        assert.ok(live.libraries.some((library) => library.includes('OpenSSL')));

        const target = `/shell?id=${type}`;
        assert.equal(await get(server.url + target), 200);
        const isTraced = (): boolean =>
          messages.some((one) => one.kind === 'request' && one['target'] === target);
        for (let attempt = 0; attempt < 100 && !isTraced(); attempt++) {
          live.step(0);
          await sleep(20);
        }
        const request = messages.find((one) => one['target'] === target);
        assert.ok(request, 'the request is traced');
        const effects = request['effects'] as readonly { type: string; path: string }[];
        assert.deepEqual(
          effects.filter((effect) => effect.type === 'exec').map(({ path }) => path),
          ['/bin/sh', '/bin/echo'],
        );

        const stoppedAt = performance.now();
        live[Symbol.dispose]();
        const elapsedMs = performance.now() - stoppedAt;
        t.diagnostic(`${during.get(type)} links are off in ${elapsedMs.toFixed(0)} ms`);
        assert.deepEqual(linkCounts(), before);
        if (type === 'uprobe_multi') assert.ok(elapsedMs < DETACH_LIMIT_MS, `${elapsedMs} ms`);
      },
    );
});
