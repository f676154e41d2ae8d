import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExecutableFile, ExecutableHash } from '../model/executable.ts';
import type { EventView } from '../output/views.ts';
import { EventHold } from './event-hold.ts';

const KNOWN: ExecutableHash = { sha256: 'ab'.repeat(32), problem: null };
const view = (type: EventView['type'], timeNs: number): EventView => ({ type, timeNs }) as EventView;
const fileWith = (hash: ExecutableHash | null) => {
  const file = { key: 'k', executed: null, path: '', mountNamespace: 0, hash };
  return file satisfies ExecutableFile as { hash: ExecutableHash | null } & ExecutableFile;
};

function bench() {
  const told: { type: string; timeNs: number; hash?: ExecutableHash | null }[] = [];
  return { told, hold: new EventHold((one) => told.push(one)) };
}

test('an exec waits for its hash, and what comes behind waits for it', () => {
  const { hold, told } = bench();
  const file = fileWith(null);
  hold.add(view('fork', 1), null);
  hold.add(view('exec', 2), file);
  hold.add(view('exit', 3), null);
  assert.deepEqual(
    told.map(({ timeNs }) => timeNs),
    [1],
  );
  file.hash = KNOWN;
  hold.tick(4);
  assert.deepEqual(
    told.map(({ timeNs, hash }) => [timeNs, hash]),
    [
      [1, undefined],
      [2, KNOWN],
      [3, undefined],
    ],
  );
  hold.add(view('exec', 5), file);
  assert.equal(told.at(-1)?.hash, KNOWN);
});

test('half a second at most, and not too many at once', () => {
  const { hold, told } = bench();
  hold.add(view('exec', 0), fileWith(null));
  hold.tick(499e6);
  assert.equal(told.length, 0);
  hold.tick(500e6);
  assert.deepEqual(
    told.map(({ hash }) => hash),
    [undefined],
  );
  hold.add(view('exec', 600e6), fileWith(null));
  for (let count = 0; count < 10_000; count++) hold.add(view('exit', 600e6), null);
  assert.equal(told.length, 10_002);
});
