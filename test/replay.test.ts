import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import type { FindingView, RequestView } from '../src/output/views.ts';
import { EVENT_KIND } from '../src/abi/abi.gen.ts';
import { think } from './support/brain.ts';
import { FIXTURES, goldenOf, goldenPath, recordingPath } from './support/fixtures.ts';
import type { LoadResult } from './support/load.ts';
import {
  factFrame,
  factOf,
  headOf,
  readRecording,
  recordingBytes,
  type Frame,
} from './support/recordings.ts';
import { figures, idIn, judge, traceOf, type Trace } from './support/truth.ts';

const LOADS = FIXTURES.map(({ name }) => name).filter((name) => name !== 'demo');

suite('recordings', () => {
  for (const { name } of FIXTURES) {
    test(`${name}: the brain says what it said before (node test/update-fixtures.ts golden)`, () => {
      const actual = goldenOf(recordingPath(name)).trimEnd().split('\n');
      const expected = readFileSync(goldenPath(name), 'utf8').trimEnd().split('\n');
      const changed = expected.findIndex((line, index) => line !== actual[index]);
      // The first difference is enough, and readable.
      if (changed >= 0)
        assert.deepEqual(
          JSON.parse(actual[changed] ?? '{}'),
          JSON.parse(expected[changed] ?? '{}'),
          `line ${changed + 1}`,
        );
      assert.equal(actual.length, expected.length);
    });

    test(`${name}: is small, and nothing of its machine is in it`, () => {
      const path = recordingPath(name);
      assert.ok(statSync(path).size < 400_000);
      const { header, frames } = readRecording(path);
      assert.equal(header.kernel, '6.18.0');
      assert.ok(frames.length > 100);
      assert.deepEqual(recordingBytes({ header, frames }), readFileSync(path));
    });
  }

  test('the demo: one EXPLOITED finding for each hole, PROBED for its twin, nothing else', () => {
    const findings = think(readRecording(recordingPath('demo')).frames).filter(
      ({ kind }) => kind === 'finding',
    ) as unknown as FindingView[];
    assert.deepEqual(
      new Set(findings.map(({ verdict, request }) => `${verdict} ${request?.target.split('?')[0]}`)),
      new Set(['EXPLOITED /file', 'EXPLOITED /ping', 'PROBED /safe/file', 'PROBED /safe/ping']),
    );
    assert.equal(findings.length, 4);
  });

  test('the same findings, whether every request is shown or plain ones are left unread', () => {
    for (const { name } of FIXTURES) {
      const { frames } = readRecording(recordingPath(name));
      const findingsOf = (wantsRequests: boolean) =>
        think(frames, Infinity, wantsRequests).filter(({ kind }) => kind === 'finding');
      assert.deepEqual(findingsOf(false), findingsOf(true), name);
    }
  });

  test('the same findings, whether time was told between the events (live) or not (replayed)', () => {
    const { frames } = readRecording(recordingPath('demo'));
    const findingsOf = (tickNs: number) =>
      (think(frames, tickNs).filter(({ kind }) => kind === 'finding') as unknown as FindingView[])
        .toSorted((left, right) => (left.id < right.id ? -1 : 1))
        .map((finding) => `${finding.id} ${finding.verdict} ${finding.request?.target.split('?')[0]}`);
    assert.deepEqual(findingsOf(20e6), findingsOf(Infinity));
  });

  test('a container whose runtime answers after the attack is named in the finding', () => {
    const id = '4f1c'.repeat(16);
    const { frames } = readRecording(recordingPath('demo'));
    const contained = frames.map((frame) => {
      const fact = factOf(frame);
      return fact?.kind === 'cgroup' ? factFrame({ ...fact, paths: [`/docker/${id}`] }) : frame;
    });
    const exploits = (all: readonly Frame[]) =>
      (think(all, 20e6) as unknown as FindingView[]).filter(({ verdict }) => verdict === 'EXPLOITED');
    const before = exploits(contained);
    assert.ok(before.length === 2);
    for (const { process, request } of before) {
      assert.deepEqual([process?.container?.id, process?.container?.name], [id, null]);
      assert.equal(request?.server.container?.id, id);
    }
    const answer = {
      id,
      runtime: 'docker',
      name: 'shop',
      image: 'shop:2',
      pod: '',
      namespace: '',
      podUid: '',
    };
    for (const { effect } of before) {
      // Right behind the decisive effect's event: in what follows, the finding is still held.
      const at = contained.findLastIndex((frame) => {
        const head = headOf(frame);
        return (
          head?.pid === effect?.pid && (head?.kind === EVENT_KIND.EXEC || head?.kind === EVENT_KIND.OPEN)
        );
      });
      const told = factFrame({ kind: 'container', ...answer, labels: {} });
      const after = exploits([...contained.slice(0, at + 1), told, ...contained.slice(at + 1)]);
      const named = after.find((one) => one.effect?.pid === effect?.pid && one.effect?.time === effect?.time);
      assert.equal(named?.process?.container?.name, 'shop');
      assert.equal(named?.request?.server.container?.image, 'shop:2');
    }
  });

  test('a recording may be read while it stands where nobody can write', () => {
    const directory = mkdtempSync(join(tmpdir(), 'throughline-replay-'));
    try {
      const copy = join(directory, 'copy');
      copyFileSync(recordingPath('demo'), copy);
      assert.equal(goldenOf(copy), goldenOf(recordingPath('demo')));
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

/** What was sent while the recording was made, out of the requests in it. */
function loadOf(trace: Trace): LoadResult[] {
  return trace.requests.flatMap((request: RequestView) => {
    const id = idIn(request.target);
    if (id === null) return [];
    const sinkPort = Number(/[?&]port=(\d+)/.exec(request.target)?.[1]);
    const { target, status, client } = request;
    return [{ id, target, sinkPort, clientPort: client.port, status: status ?? 0, body: '', error: null }];
  });
}

suite('attribution in recordings', () => {
  for (const name of LOADS) {
    const { frames } = readRecording(recordingPath(name));
    const load = loadOf(traceOf(think(frames)));

    test(`${name}: every effect on its own request, or among its candidates`, (t) => {
      const verdicts = judge(traceOf(think(frames)), load);
      t.diagnostic(figures(verdicts));
      assert.ok(load.length >= 12);
      assert.equal(verdicts.wrong, 0, verdicts.examples.join('\n'));
      assert.equal(verdicts.misled, 0, verdicts.examples.join('\n'));
      assert.equal(verdicts.missing, 0);
      if (name !== 'node') assert.equal(verdicts.right, verdicts.expected);
    });

    for (const share of [0.02, 0.2, 0.5])
      test(`${name}: with ${share * 100} % of the captured bytes lost, nothing is on a wrong request`, (t) => {
        let wrong = 0;
        let example = '';
        for (let seed = 1; seed <= 10; seed++) {
          const verdicts = judge(traceOf(think(withoutPayload(frames, share, seed))), load);
          wrong += verdicts.wrong;
          if (seed === 1) t.diagnostic(figures(verdicts));
          if (verdicts.wrong > 0)
            example ||= `seed ${seed}: ${figures(verdicts)}\n${verdicts.examples.join('\n')}`;
        }
        assert.equal(wrong, 0, `${wrong} in all; ${example}`);
      });
  }
});

/** As when the ring for captured bytes is full: some are gone, and nothing has told so yet. */
function withoutPayload(frames: readonly Frame[], share: number, seed: number): Frame[] {
  let state = seed;
  const random = (): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) / 0x1000000;
  };
  return frames.filter((frame) => headOf(frame)?.kind !== EVENT_KIND.PAYLOAD || random() >= share);
}
