import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EffectView, OrphanView, QueryEffectView, RequestView } from '../../src/output/views.ts';
import { requireKernel } from '../support/kernel.ts';
import type { LoadResult } from '../support/load.ts';
import { RESOLVED_IPV4, RESOLVED_IPV6, ResolverNamespace } from '../support/resolver-namespace.ts';
import { startThroughline, type Throughline } from '../support/throughline.ts';

requireKernel();

const REQUESTS = 160;
const CONCURRENCY = 16;
const PROGRAMS = join(import.meta.dirname, 'programs');

/** What was said of the questions that one load caused. */
interface Observed {
  readonly requests: readonly RequestView[];
  /** Questions on the request that asked them. */
  readonly right: readonly QueryEffectView[];
  readonly wrong: readonly string[];
  readonly ambiguous: readonly QueryEffectView[];
  /** Names that nobody was seen asking for. */
  readonly missing: readonly string[];
  /** Opens of the file that each request opens afterwards, on the right request. */
  readonly opens: number;
}

suite('questions of DNS over UDP', () => {
  let agent: Throughline;
  let namespace: ResolverNamespace;
  let directory: string;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'throughline-dns-'));
    namespace = await ResolverNamespace.make();
    agent = await startThroughline(['trace', '--json']);
    // Ports are the namespace's own: nobody else has them.
    namespace.start(process.execPath, [join(PROGRAMS, 'resolves.ts'), '8001', directory]);
    namespace.start('python3', [join(PROGRAMS, 'resolves.py'), '8002', directory]);
    for (const [port, how] of [
      [8001, 'lookup'],
      [8002, 'getaddrinfo'],
    ])
      await untilServing(Number(port), `how=${how}`);
  });
  after(async () => {
    // An agent that does not end in time must not keep the namespace.
    try {
      await agent.stop();
    } finally {
      await namespace[Symbol.asyncDispose]();
      rmSync(directory, { recursive: true, force: true });
    }
  });

  async function load(port: number, requests: number, query: string): Promise<LoadResult[]> {
    const args = [join(PROGRAMS, 'http-load.ts'), `${port}`, `${requests}`, `${CONCURRENCY}`, query];
    return JSON.parse(await namespace.run(process.execPath, args)) as LoadResult[];
  }

  async function untilServing(port: number, query: string): Promise<void> {
    for (let attempt = 0; attempt < 50; attempt++) {
      if ((await load(port, 1, query))[0]?.status === 200) return;
      await sleep(100);
    }
    throw new Error(`nobody serves on port ${port}`);
  }

  /** Sends the load; its names carry the ids backwards, or as they are where the query says so. */
  async function observe(t: TestContext, port: number, requests: number, query: string): Promise<Observed> {
    const results = await load(port, requests, query);
    for (const { status, body } of results) {
      assert.equal(status, 200);
      assert.ok(body.includes(RESOLVED_IPV4) || body.includes(RESOLVED_IPV6), body);
    }
    const ids = new Set(results.map(({ id }) => id));
    const ofLoad = (): RequestView[] =>
      (agent.ofKind('request') as unknown as RequestView[]).filter(({ target }) => ids.has(idOf(target)));
    for (let wait = 0; wait < 100 && ofLoad().length < requests; wait++) await sleep(50);
    const right: QueryEffectView[] = [];
    const wrong: string[] = [];
    const seen = new Set<string>();
    let opens = 0;
    for (const request of ofLoad())
      for (const effect of request.effects) {
        const mark = markOf(effect, directory);
        if (mark === null) continue;
        if (mark !== idOf(request.target)) wrong.push(`${request.target}: ${JSON.stringify(effect)}`);
        else if (effect.type === 'query') right.push(effect);
        else opens++;
        seen.add(mark);
      }
    const ambiguous = (agent.ofKind('orphan') as unknown as OrphanView[])
      .map(({ effect }) => effect)
      .filter((effect) => effect.type === 'query' && ids.has(markOf(effect, directory) ?? ''))
      .map((effect) => effect as QueryEffectView);
    for (const effect of ambiguous) seen.add(markOf(effect, directory) ?? '');
    const missing = [...ids].filter((id) => !seen.has(id));
    t.diagnostic(
      `${query}: ${right.length} questions right, ${wrong.length} wrong, ${ambiguous.length} ambiguous, ` +
        `${missing.length} missing; ${opens} of ${requests} files right`,
    );
    const requestViews = ofLoad();
    return { requests: requestViews, right, wrong, ambiguous, missing, opens };
  }

  function assertSeen(observed: Observed, requests: number): void {
    assert.deepEqual(observed.wrong, []);
    assert.deepEqual(observed.missing, []);
    assert.equal(observed.requests.length, requests);
    for (const effect of observed.right) {
      assert.equal(effect.protocol, 'dns');
      assert.deepEqual(effect.remote, { ip: '127.0.0.1', port: 53 });
    }
  }

  test('getaddrinfo in threads (glibc sends both questions with one sendmmsg)', async (t) => {
    const observed = await observe(t, 8002, REQUESTS, 'how=getaddrinfo');
    assertSeen(observed, REQUESTS);
    assert.equal(observed.right.length, 2 * REQUESTS);
    assert.deepEqual(observed.ambiguous, []);
    for (const { operation, outcome, grade, durationMs } of observed.right) {
      assert.deepEqual(outcome?.answers, [operation === 'A' ? RESOLVED_IPV4 : RESOLVED_IPV6]);
      assert.equal(grade, 'exact');
      assert.ok(durationMs !== null && durationMs < 5000);
    }
  });

  test('getaddrinfo in the pool of an event loop', async (t) => {
    const observed = await observe(t, 8001, REQUESTS, 'how=lookup');
    assertSeen(observed, REQUESTS);
    assert.ok(observed.right.length > 0.7 * 2 * REQUESTS, `${observed.right.length} questions`);
    assert.ok(observed.opens > 0.7 * REQUESTS, `${observed.opens} files`);
  });

  test('c-ares on an event loop: one socket for all', async (t) => {
    const observed = await observe(t, 8001, REQUESTS, 'how=resolve');
    assertSeen(observed, REQUESTS);
    assert.ok(observed.right.length > 0.5 * REQUESTS, `${observed.right.length} questions`);
    for (const { outcome } of observed.right) assert.deepEqual(outcome?.answers, [RESOLVED_IPV4]);
  });

  test('the name stands in a parameter, whatever its case', async (t) => {
    for (const how of ['lookup', 'resolve']) {
      const observed = await observe(t, 8001, REQUESTS, `how=${how}&host=WWW-%ID.Test`);
      assertSeen(observed, REQUESTS);
      assert.deepEqual(observed.ambiguous, [], how);
    }
  });

  for (const how of ['send', 'sendto', 'write', 'writev', 'sendmsg', 'sendmmsg'])
    test(`a question by ${how}`, async (t) => {
      const observed = await observe(t, 8002, CONCURRENCY, `how=${how}`);
      assertSeen(observed, CONCURRENCY);
      assert.equal(observed.right.length, how === 'sendmmsg' ? 3 * CONCURRENCY : CONCURRENCY);
      for (const { outcome } of observed.right) assert.deepEqual(outcome?.answers, [RESOLVED_IPV4]);
    });

  test('a program that a request starts', async (t) => {
    const observed = await observe(t, 8002, CONCURRENCY, 'how=child');
    assertSeen(observed, CONCURRENCY);
    assert.ok(observed.right.length >= CONCURRENCY, `${observed.right.length} questions`);
    assert.deepEqual(observed.ambiguous, []);
  });
});

function idOf(target: string): string {
  return new URLSearchParams(target.slice(2)).get('id') ?? '';
}

/** The id that the effect carries, backwards as a rule; null for effects that carry none. */
function markOf(effect: EffectView, directory: string): string | null {
  if (effect.type === 'open')
    return effect.path.startsWith(`${directory}/`) ? reversed(effect.path.slice(directory.length + 1)) : null;
  if (effect.type !== 'query' || !effect.statement.toLowerCase().endsWith('.test')) return null;
  const [label = ''] = effect.statement.toLowerCase().split('.');
  return label.startsWith('www-') ? label.slice('www-'.length) : reversed(label);
}

function reversed(text: string): string {
  return Array.from(text).toReversed().join('');
}
