import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EngineMessage } from '../../src/cli/contract.ts';
import { Placements } from './placements.ts';

const ID = 'id-0123abcd-000000';
const effect = { type: 'exec', grade: 'exact', reason: 'because', argv: ['/bin/echo', ID] };

/** Only what is read of it. */
function message(value: object): EngineMessage {
  return value as EngineMessage;
}

test('effects are found on requests, behind them, and as orphans', () => {
  const placements = new Placements();
  placements.add(message({ kind: 'request', id: 'r1', target: `/work?id=${ID}`, effects: [effect] }));
  placements.add(message({ kind: 'effect', request: 'r1', effect }));
  placements.add(message({ kind: 'orphan', effect, candidates: ['r1', 'r2'] }));
  placements.add(message({ kind: 'loss', reasons: { 'payload-ring-full': 2 } }));
  assert.deepEqual(
    placements.all.map(({ id, request, candidates }) => ({ id, request, candidates })),
    [
      { id: ID, request: 'r1', candidates: [] },
      { id: ID, request: 'r1', candidates: [] },
      { id: ID, request: null, candidates: ['r1', 'r2'] },
    ],
  );
  assert.equal(placements.sentId('r1'), ID);
  assert.equal(placements.sentId('r2'), null);
  assert.deepEqual(placements.losses, { 'payload-ring-full': 2 });
});
