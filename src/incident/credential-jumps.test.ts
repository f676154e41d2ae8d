import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { ExecEffect } from '../model/effect.ts';
import type { ExecEvent } from '../model/event.ts';
import type { ExecDetails } from '../model/exec-details.ts';
import type { Detection } from '../model/finding.ts';
import type { Process } from '../model/process.ts';
import { makeDetails, makeHeader } from '../model/testing.ts';
import { CredentialJumps } from './credential-jumps.ts';

const NONE = { effective: 0, permitted: 0, inheritable: 0 };

/** A user without capabilities, as of its last exec. */
function user(ids: Partial<Process> = {}, details: Partial<ExecDetails> = {}): Process {
  const before = makeDetails({ savedUid: 1000, capabilities: NONE, ...details });
  return { uid: 1000, effectiveUid: 1000, executedNs: 5e9, details: before, ...ids } as Process;
}

function exec(ids: readonly [number, number, number], details: Partial<ExecDetails> = {}): ExecEvent {
  const [uid, effectiveUid, savedUid] = ids;
  return {
    ...makeHeader(7, 10e9),
    kind: 'exec',
    uid,
    effectiveUid,
    details: makeDetails({ savedUid, ...details }),
  } as ExecEvent;
}

function jumpsOf(event: ExecEvent, process: Process) {
  return new CredentialJumps(() => {}).before(event, process);
}

suite('no jump', () => {
  test('among the ids that the process had', () => {
    const process = user({ uid: 1000, effectiveUid: 33 }, { savedUid: 44 });
    assert.equal(jumpsOf(exec([33, 33, 33]), process), null);
    assert.equal(jumpsOf(exec([44, 1000, 33]), process), null);
  });

  test('who has CAP_SETUID may become anybody, also in a user namespace of its own', () => {
    for (const permitted of [2 ** 7, 0x1ff_ffff_ffff])
      assert.equal(jumpsOf(exec([0, 0, 0]), user({}, { capabilities: { ...NONE, permitted } })), null);
  });

  test('by a set-user-id program', () => {
    assert.equal(jumpsOf(exec([1000, 0, 0], { mode: 0o104755 }), user()), null);
  });

  test('in another user namespace', () => {
    const namespaces = { ...makeDetails().namespaces, user: 99 };
    assert.equal(jumpsOf(exec([0, 0, 0], { namespaces }), user()), null);
  });

  test('where it is not known who the process was, or not all was seen since', () => {
    assert.equal(jumpsOf(exec([0, 0, 0]), user({ details: null })), null);
    assert.equal(jumpsOf(exec([0, 0, 0]), user({ effectiveUid: -1 })), null);
    assert.equal(jumpsOf({ ...exec([0, 0, 0]), details: null }, user()), null);
    const jumps = new CredentialJumps(() => {});
    jumps.lost(6e9);
    assert.equal(jumps.before(exec([0, 0, 0]), user()), null);
    assert.deepEqual(jumps.before(exec([0, 0, 0]), user({ executedNs: 7e9 })), [1000, 1000, 1000]);
  });
});

suite('a jump', () => {
  const effect = {
    type: 'exec',
    attribution: { request: null },
    details: makeDetails(),
  } as unknown as ExecEffect;

  function bench() {
    const told: { detection: Detection; timeNs: number }[] = [];
    const jumps = new CredentialJumps((detection, timeNs) => told.push({ detection, timeNs }));
    const event = exec([0, 0, 0]);
    const before = jumps.before(event, user());
    assert.deepEqual(before, [1000, 1000, 1000]);
    jumps.jumped(event, effect, before ?? [0, 0, 0]);
    return { jumps, told };
  }

  test('any of the three ids, to whomever', () => {
    for (const ids of [
      [0, 1000, 1000],
      [1000, 0, 1000],
      [1000, 1000, 0],
      [1000, 1001, 1000],
    ] as const)
      assert.deepEqual(jumpsOf(exec(ids), user()), [1000, 1000, 1000]);
  });

  test('is told once a loss would have been told', () => {
    const { jumps, told } = bench();
    jumps.tick(11.4e9);
    assert.equal(told.length, 0);
    jumps.tick(11.6e9);
    assert.deepEqual(
      told.map(({ detection: { verdict, severity, title } }) => [verdict, severity, title]),
      [
        [
          'SUSPICIOUS',
          'critical',
          'Credentials changed inside the kernel: user 1000 became user 0, which no call and no set-user-id program can have done',
        ],
      ],
    );
    jumps.tick(Infinity);
    assert.equal(told.length, 1);
  });

  test('is not told where something was lost', () => {
    const { jumps, told } = bench();
    jumps.lost(10.2e9);
    jumps.tick(Infinity);
    assert.equal(told.length, 0);
  });
});
