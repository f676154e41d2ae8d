import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ExecEvent } from '../model/event.ts';
import { makeDetails, makeHeader } from '../model/testing.ts';
import { EventDecoder } from './decode.ts';
import { EnvironmentFilter } from './environment-filter.ts';
import { encodeEvent } from './testing.ts';

const LIMIT = 4096;

function exec(variables: readonly string[] | null, fields: Partial<ExecEvent> = {}): ExecEvent {
  return {
    ...makeHeader(7, 1e9),
    kind: 'exec',
    parentPid: 1,
    uid: 0,
    gid: 0,
    effectiveUid: 0,
    effectiveGid: 0,
    groups: [1, 2],
    inode: 42,
    device: 8,
    stdio: ['pipe', 'pipe', 'pipe'],
    comm: 'x',
    path: './x',
    executable: '/bin/x',
    workingDirectory: '/srv',
    argv: ['x', '-y'],
    details: makeDetails({ interpreter: '/bin/sh' }),
    environment: variables === null ? null : { variables, isCut: false },
    ...fields,
  };
}

function filtered(event: ExecEvent, names: readonly string[], cut = 0) {
  const filter = new EnvironmentFilter(LIMIT);
  filter.ask(new Set(names));
  const whole = encodeEvent(event);
  const bytes = whole.subarray(0, whole.length - cut);
  const padded = Buffer.concat([Buffer.alloc(3), bytes]);
  const view = new DataView(padded.buffer, padded.byteOffset, padded.byteLength);
  const size = filter.apply(padded, view, 3, bytes.length);
  if (size < 0) return null;
  const decoded = new EventDecoder().decode(filter.bytes, filter.view, 0, size);
  assert.equal(decoded?.kind, 'exec');
  return decoded;
}

test('what nobody asked for is gone, all else is as it was', () => {
  const event = exec(['PATH=/bin', 'SECRET=hunter2', 'EMPTY=', 'PATH=/evil', 'PATHS=/x', 'odd']);
  const expected = { ...event, environment: { variables: ['PATH=/bin', 'EMPTY='], isCut: false } };
  assert.deepEqual(filtered(event, ['EMPTY', 'PATH', 'odd', 'UNSET']), expected);
});

test('a variable that was cut is not told with half of its value', () => {
  const event = exec(['A=1', 'B=12345'], {});
  assert.deepEqual(filtered(event, ['A', 'B'], 3)?.environment?.variables, ['A=1']);
});

test('an event without an environment is left as it is', () => {
  assert.equal(filtered(exec(null), ['PATH']), null);
  assert.equal(filtered(exec(null, { details: null }), ['PATH']), null);
});

test('whatever the bytes are, nothing is thrown and nothing is read beyond them', () => {
  const filter = new EnvironmentFilter(LIMIT);
  filter.ask(new Set(['A']));
  const valid = encodeEvent(exec(['A=1']));
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 20 }),
      fc.nat(400),
      (changes, cut) => {
        const bytes = Uint8Array.from(valid);
        for (const [at, value] of changes) bytes[at] = value;
        const size = Math.max(0, bytes.length - cut);
        const result = filter.apply(bytes, new DataView(bytes.buffer), 0, size);
        assert.ok(result >= -1 && result <= bytes.length);
      },
    ),
  );
});
