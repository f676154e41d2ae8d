import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge } from './judge.ts';
import type { Placement } from './placements.ts';
import { totalOf } from './tally.ts';

const LOAD = 'id-0123abcd-';
const A = `${LOAD}000000`;
const B = `${LOAD}000002`;
const REVERSED = `${LOAD}000001`;
const SENT: Readonly<Record<string, string>> = { 'r-a': A, 'r-b': B, 'r-r': REVERSED };
const sentId = (request: string): string | null => SENT[request] ?? null;

function placement(id: string, request: string | null, candidates: readonly string[] = []): Placement {
  return { kind: 'exec', id, request, candidates, grade: 'exact', reason: 'because' };
}

function judgeAll(placements: readonly Placement[], answered: readonly string[] = [A, B]) {
  const { verdicts, mistakes } = judge(
    placements,
    sentId,
    new Map([[LOAD, { answered, expected: { exec: 1 } }]]),
  );
  const judged = verdicts.get(LOAD);
  assert.ok(judged);
  return { plain: judged.plain.exec, reversed: judged.reversed.exec, judged, mistakes };
}

test('right is on the own request', () => {
  const { plain, mistakes } = judgeAll([placement(A, 'r-a'), placement(B, 'r-b')]);
  assert.equal(plain.right, 2);
  assert.equal(totalOf(plain), 2);
  assert.deepEqual(mistakes, []);
});

test('wrong is on another request, or on one that the bench never sent', () => {
  const { plain, mistakes } = judgeAll([placement(A, 'r-b'), placement(B, 'r-of-somebody-else')]);
  assert.equal(plain.wrong, 2);
  assert.deepEqual(
    mistakes.map(({ verdict, id, blamed }) => ({ verdict, id, blamed })),
    [
      { verdict: 'wrong', id: A, blamed: [B] },
      { verdict: 'wrong', id: B, blamed: ['foreign'] },
    ],
  );
});

test('candidates are right or misleading', () => {
  const { plain, mistakes } = judgeAll([placement(A, null, ['r-a', 'r-b']), placement(B, null, ['r-a'])]);
  assert.equal(plain.ambiguous, 1);
  assert.equal(plain.misled, 1);
  assert.equal(plain.candidates, 3);
  assert.equal(mistakes.length, 1);
});

test('what was not told is missing; of requests that failed or do nothing, nothing is expected', () => {
  assert.equal(totalOf(judgeAll([], [`${LOAD}000004`]).plain), 0);
  assert.equal(judgeAll([placement(A, 'r-a')]).plain.missing, 1);
  assert.equal(judgeAll([placement(A, 'r-a')], [A]).plain.missing, 0);
  assert.equal(totalOf(judgeAll([]).judged.plain.redis), 0);
});

test('requests whose bytes cannot help are counted apart', () => {
  const { plain, reversed } = judgeAll([placement(REVERSED, 'r-r')], [REVERSED]);
  assert.equal(totalOf(plain), 0);
  assert.equal(reversed.right, 1);
});

test('effects of another load are nobody of ours', () => {
  const { plain, reversed } = judgeAll([placement('id-ffffffff-000000', 'r-a')], []);
  assert.equal(totalOf(plain) + totalOf(reversed), 0);
});
