import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Effect, OpenEffect } from '../model/effect.ts';
import type { Detection, Finding, Verdict } from '../model/finding.ts';
import type { Process } from '../model/process.ts';
import type { Request } from '../model/request.ts';
import { FindingDesk } from './finding-desk.ts';

const MS = 1e6;

function makeProcess(pid: number, parent: Process | null = null): Process {
  return {
    pid,
    startTicks: pid,
    parentPid: parent?.pid ?? 1,
    parent,
    comm: 'x',
    executable: '/x',
    inode: 1,
    argv: ['x'],
    argvTruncated: false,
    workingDirectory: '/',
    uid: 0,
    gid: 0,
    groups: [],
    userName: null,
    stdio: ['other', 'other', 'other'],
    cgroupId: 1,
    containerId: null,
    container: null,
    podUid: null,
    serviceUnit: null,
    exitedNs: null,
    exitCode: null,
  };
}

const SERVER = makeProcess(10);

/** A request whose fields a test may change. */
type OpenRequest = { -readonly [Key in keyof Request]: Request[Key] } & { effects: Effect[] };

function makeRequest(id: string): OpenRequest {
  return {
    id,
    connection: { id: 1, family: 'ipv4', client: { address: '', port: 1 }, server: { address: '', port: 1 } },
    message: {
      protocol: 'http1',
      head: '',
      method: 'GET',
      target: '/',
      headers: [],
      body: new Uint8Array(0),
      isTruncated: false,
      anomalies: [],
      inputs: [],
    },
    process: SERVER,
    tid: 10,
    startedNs: 5 * MS,
    endedNs: null,
    status: null,
    effects: [],
    droppedEffects: 0,
  };
}

function makeEffect(request: Request | null, process: Process, timeNs: number): OpenEffect {
  return {
    type: 'open',
    timeNs,
    pid: process.pid,
    tid: process.pid,
    process,
    attribution: {
      grade: request === null ? 'ambiguous' : 'exact',
      reason: '',
      request,
      candidates: request === null ? [] : [request],
    },
    path: '/x',
    resolvedPath: '/x',
    flags: 0,
    isWrite: false,
    error: 0,
  };
}

function detection(
  verdict: Verdict,
  request: Request | null,
  effect: Effect | null = null,
  attackClass = 'command-injection',
): Detection {
  return {
    detector: 'test',
    verdict,
    class: attackClass,
    severity: 'high',
    title: `${verdict} ${attackClass}`,
    cwe: [78],
    attack: ['T1059'],
    request,
    effect,
    evidence: [],
  };
}

class Bench {
  readonly findings: Finding[] = [];
  readonly desk = new FindingDesk(
    (timeNs) => 1000 + timeNs / MS,
    (finding) => this.findings.push(finding),
  );

  get verdicts(): string[] {
    return this.findings.map(({ title }) => title);
  }
}

describe('when a finding is told', () => {
  test('an exploit after what follows had time to come', () => {
    const bench = new Bench();
    bench.desk.detected(detection('EXPLOITED', makeRequest('a'), makeEffect(null, SERVER, 10 * MS)), 10 * MS);
    bench.desk.tick(509 * MS);
    assert.deepEqual(bench.verdicts, []);
    bench.desk.tick(510 * MS);
    assert.deepEqual(bench.verdicts, ['EXPLOITED command-injection']);
    bench.desk.tick(Infinity);
    assert.equal(bench.findings.length, 1);
  });

  test('a probe soon after the reply', () => {
    const bench = new Bench();
    const request = makeRequest('a');
    bench.desk.detected(detection('PROBED', request), 10 * MS);
    bench.desk.tick(500 * MS);
    request.endedNs = 450 * MS;
    bench.desk.tick(549 * MS);
    assert.deepEqual(bench.verdicts, []);
    bench.desk.tick(550 * MS);
    assert.deepEqual(bench.verdicts, ['PROBED command-injection']);
  });

  test('a probe whose reply does not come, not much later', () => {
    const bench = new Bench();
    bench.desk.detected(detection('PROBED', makeRequest('a')), 10 * MS);
    bench.desk.tick(809 * MS);
    assert.deepEqual(bench.verdicts, []);
    bench.desk.tick(810 * MS);
    assert.deepEqual(bench.verdicts, ['PROBED command-injection']);
  });

  test('in the order of being due, however seldom time is told', () => {
    for (const isOften of [true, false]) {
      const bench = new Bench();
      const request = makeRequest('late');
      bench.desk.detected(detection('PROBED', request), 10 * MS);
      bench.desk.detected(detection('EXPLOITED', makeRequest('early')), 20 * MS);
      request.endedNs = 600 * MS;
      if (isOften) for (let time = 20; time < 1000; time += 10) bench.desk.tick(time * MS);
      bench.desk.tick(1000 * MS);
      assert.deepEqual(
        bench.findings.map(({ id, verdict }) => `${id} ${verdict}`),
        ['finding-f1 EXPLOITED', 'finding-f2 PROBED'],
      );
    }
  });

  test('all at the end', () => {
    const bench = new Bench();
    bench.desk.detected(detection('PROBED', makeRequest('a')), 1);
    bench.desk.detected(detection('SUSPICIOUS', makeRequest('b')), 1);
    bench.desk.tick(Infinity);
    assert.equal(bench.findings.length, 2);
  });
});

describe('a proxy and the application behind it', () => {
  const hopTo = (front: Request): NonNullable<Request['hop']> => ({
    proxy: SERVER,
    front,
    grade: 'linked',
    reason: '',
    candidates: [front],
  });

  test('are one finding, that of the application where both say as much', () => {
    for (const [ofFront, ofBehind] of [
      ['PROBED', 'PROBED'],
      ['PROBED', 'EXPLOITED'],
      ['SUSPICIOUS', 'EXPLOITED'],
      ['EXPLOITED', 'EXPLOITED'],
    ] as const)
      for (const isKnownLate of [false, true]) {
        const bench = new Bench();
        const front = makeRequest('front');
        const behind = makeRequest('behind');
        if (!isKnownLate) behind.hop = hopTo(front);
        bench.desk.detected(detection(ofFront, front), 1);
        bench.desk.detected(detection(ofBehind, behind), 2);
        behind.hop = hopTo(front);
        bench.desk.tick(Infinity);
        // What is due before it turns out is told, as when a request alone becomes worse.
        const isToldBefore = isKnownLate && ofFront === 'SUSPICIOUS';
        assert.deepEqual(
          bench.findings.map(({ verdict }) => verdict),
          isToldBefore ? [ofFront, ofBehind] : [ofBehind],
          `${ofFront} ${ofBehind} ${isKnownLate}`,
        );
        if (!isKnownLate) assert.equal(bench.findings[0]?.request, behind);
      }
  });

  test('a probe of the proxy is part of what the application did', () => {
    const bench = new Bench();
    const front = makeRequest('front');
    const behind = { ...makeRequest('behind'), hop: hopTo(front) };
    bench.desk.detected(detection('PROBED', front, null, 'probe'), 1);
    bench.desk.detected(detection('EXPLOITED', behind), 2);
    bench.desk.tick(Infinity);
    assert.deepEqual(bench.verdicts, ['EXPLOITED command-injection']);
  });

  test('what only may be of one request stays apart', () => {
    const bench = new Bench();
    const front = makeRequest('front');
    const behind = { ...makeRequest('behind'), hop: { ...hopTo(front), front: null } };
    bench.desk.detected(detection('PROBED', front), 1);
    bench.desk.detected(detection('EXPLOITED', behind), 2);
    bench.desk.tick(Infinity);
    assert.equal(bench.findings.length, 2);
  });
});

describe('one finding for each request and class', () => {
  test('the strongest verdict wins, whatever the order', () => {
    const orders: readonly (readonly Verdict[])[] = [
      ['PROBED', 'SUSPICIOUS', 'EXPLOITED', 'PROBED'],
      ['EXPLOITED', 'PROBED', 'EXPLOITED'],
      ['SUSPICIOUS', 'EXPLOITED', 'SUSPICIOUS'],
    ];
    for (const order of orders) {
      const bench = new Bench();
      const request = makeRequest('a');
      for (const verdict of order) bench.desk.detected(detection(verdict, request), 1);
      bench.desk.tick(Infinity);
      assert.deepEqual(bench.verdicts, ['EXPLOITED command-injection']);
      assert.deepEqual(bench.desk.counters, {
        detections: order.length,
        findings: 1,
        merged: order.length - 1,
        hurried: 0,
      });
    }
  });

  test('the first of the same strength is the decisive one', () => {
    const bench = new Bench();
    const request = makeRequest('a');
    const first = makeEffect(request, SERVER, 10 * MS);
    bench.desk.detected(detection('EXPLOITED', request, first), 10 * MS);
    bench.desk.detected(detection('EXPLOITED', request, makeEffect(request, SERVER, 20 * MS)), 20 * MS);
    bench.desk.tick(Infinity);
    assert.equal(bench.findings[0]?.effect, first);
  });

  test('an exploit gets its own time after a probe of the same request', () => {
    const bench = new Bench();
    const request = makeRequest('a');
    bench.desk.detected(detection('PROBED', request), 0);
    bench.desk.detected(detection('EXPLOITED', request), 700 * MS);
    bench.desk.tick(810 * MS);
    assert.deepEqual(bench.verdicts, []);
    bench.desk.tick(1200 * MS);
    assert.deepEqual(bench.verdicts, ['EXPLOITED command-injection']);
  });

  test('what was told is not told again, unless it turns out worse', () => {
    const bench = new Bench();
    const request = makeRequest('a');
    bench.desk.detected(detection('PROBED', request), 0);
    bench.desk.tick(900 * MS);
    bench.desk.detected(detection('PROBED', request), 901 * MS);
    bench.desk.detected(detection('EXPLOITED', request), 902 * MS);
    bench.desk.tick(2000 * MS);
    bench.desk.detected(detection('EXPLOITED', request), 2001 * MS);
    bench.desk.detected(detection('SUSPICIOUS', request), 2001 * MS);
    bench.desk.tick(Infinity);
    assert.deepEqual(bench.verdicts, ['PROBED command-injection', 'EXPLOITED command-injection']);
  });

  test('requests and classes are apart', () => {
    const bench = new Bench();
    const [first, second] = [makeRequest('a'), makeRequest('b')];
    bench.desk.detected(detection('EXPLOITED', first), 1);
    bench.desk.detected(detection('EXPLOITED', second), 1);
    bench.desk.detected(detection('EXPLOITED', first, null, 'path-traversal'), 1);
    bench.desk.tick(Infinity);
    assert.equal(bench.findings.length, 3);
  });

  test('a probe of another class in a request that was exploited is part of the same attack', () => {
    for (const isOpen of [true, false]) {
      const bench = new Bench();
      const request = makeRequest('a');
      bench.desk.detected(detection('EXPLOITED', request), 1 * MS);
      if (!isOpen) bench.desk.tick(600 * MS);
      bench.desk.detected(detection('PROBED', request, null, 'path-traversal'), 2 * MS);
      request.endedNs = 3 * MS;
      bench.desk.tick(isOpen ? 200 * MS : Infinity);
      bench.desk.tick(Infinity);
      assert.deepEqual(bench.verdicts, ['EXPLOITED command-injection']);
    }
  });

  test('without a request the process is what is counted by', () => {
    const bench = new Bench();
    const other = makeProcess(11);
    for (const process of [SERVER, SERVER, other])
      bench.desk.detected(detection('SUSPICIOUS', null, makeEffect(null, process, 1)), 1);
    bench.desk.tick(Infinity);
    assert.equal(bench.findings.length, 2);
  });
});

describe('what a finding says', () => {
  test('identity, wall time of the decisive effect, nothing done yet', () => {
    const bench = new Bench();
    bench.desk.setSession('s1');
    const request = makeRequest('a');
    const effect = makeEffect(request, SERVER, 40 * MS);
    bench.desk.detected(detection('EXPLOITED', request, effect), 40 * MS);
    bench.desk.detected(detection('PROBED', makeRequest('b')), 41 * MS);
    bench.desk.detected(detection('PROBED', null), 42 * MS);
    bench.desk.tick(Infinity);
    assert.deepEqual(
      bench.findings.map(({ id, timeMs, actions }) => ({ id, timeMs, actions })),
      [
        { id: 's1-f1', timeMs: 1040, actions: [] },
        { id: 's1-f2', timeMs: 1005, actions: [] },
        { id: 's1-f3', timeMs: 1042, actions: [] },
      ],
    );
  });

  test('the story: the decisive effect and what its process and its children did after it', () => {
    const bench = new Bench();
    const request = makeRequest('a');
    const shell = makeProcess(20, SERVER);
    const child = makeProcess(21, shell);
    const sibling = makeProcess(22, SERVER);
    const before = makeEffect(request, shell, 1);
    const decisive = makeEffect(request, shell, 2);
    const after = makeEffect(request, child, 3);
    const unrelated = makeEffect(request, sibling, 4);
    const last = makeEffect(request, shell, 5);
    request.effects.push(before, decisive);
    bench.desk.detected(detection('EXPLOITED', request, decisive), 2);
    request.effects.push(after, unrelated, last);
    bench.desk.tick(Infinity);
    assert.deepEqual(bench.findings[0]?.story, [decisive, after, last]);
  });

  test('the story is bounded, and just the effect where the request does not have it', () => {
    const bench = new Bench();
    const request = makeRequest('a');
    for (let index = 0; index < 1000; index++) request.effects.push(makeEffect(request, SERVER, index));
    bench.desk.detected(detection('EXPLOITED', request, request.effects[0]), 1);
    const foreign = makeEffect(null, SERVER, 1);
    bench.desk.detected(detection('SUSPICIOUS', makeRequest('b'), foreign), 1);
    bench.desk.detected(detection('SUSPICIOUS', null, foreign), 1);
    bench.desk.detected(detection('PROBED', makeRequest('c')), 1);
    bench.desk.tick(Infinity);
    assert.deepEqual(
      bench.findings.map(({ story }) => story.length),
      [256, 1, 1, 0],
    );
  });
});

describe('bounds', () => {
  test('beyond so many open cases the oldest is told early', () => {
    const bench = new Bench();
    for (let index = 0; index < 10_005; index++)
      bench.desk.detected(detection('SUSPICIOUS', makeRequest(`r${index}`)), 1);
    assert.equal(bench.desk.counters.hurried, 5);
    assert.deepEqual(
      bench.findings.map(({ request }) => request?.id),
      ['r0', 'r1', 'r2', 'r3', 'r4'],
    );
  });

  test('a flood of probes is told in time that grows with their number', () => {
    const bench = new Bench();
    for (let index = 0; index < 9_999; index++)
      bench.desk.detected(detection('PROBED', makeRequest(`r${index}`)), 1);
    bench.desk.tick(Infinity);
    assert.equal(bench.findings.length, 9_999);
  });

  test('what was told is forgotten after some ten thousand others', () => {
    const bench = new Bench();
    const first = makeRequest('first');
    bench.desk.detected(detection('SUSPICIOUS', first), 1);
    bench.desk.tick(Infinity);
    for (let index = 0; index < 25_000; index++) {
      bench.desk.detected(detection('SUSPICIOUS', makeRequest(`r${index}`)), 1);
      if (index % 1000 === 999) bench.desk.tick(Infinity);
    }
    bench.desk.detected(detection('SUSPICIOUS', first), 1);
    bench.desk.tick(Infinity);
    assert.equal(bench.findings.length, 25_002);
  });
});
