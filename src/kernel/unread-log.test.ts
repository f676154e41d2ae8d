import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UNREAD_LOG_BYTES, UnreadLog } from './unread-log.ts';

const START = 16;

/** As count_unread in bpf/lib/state.h writes it. */
class Kernel {
  readonly variables = new DataView(new ArrayBuffer(START + UNREAD_LOG_BYTES));
  count = 0;
  readonly log = new UnreadLog(this.variables, START, 0);

  counts(): void {
    this.variables.setUint32(0, ++this.count, true);
  }

  loses(pid: number): void {
    this.counts();
    const at = START + ((this.count - 1) % (UNREAD_LOG_BYTES / 8)) * 8;
    this.variables.setUint32(at, pid, true);
    this.variables.setUint32(at + 4, this.count, true);
  }
}

test('each process that lost bytes since it was asked last', () => {
  const kernel = new Kernel();
  assert.ok(kernel.log.isUnchanged);
  for (const pid of [7, 9, 7]) kernel.loses(pid);
  assert.ok(!kernel.log.isUnchanged);
  assert.deepEqual(kernel.log.take(), new Set([7, 9]));
  kernel.loses(5);
  assert.deepEqual(kernel.log.take(), new Set([5]));
  assert.deepEqual(kernel.log.take(), new Set());
  assert.equal(kernel.log.count, 4);
});

test('more than the table holds: not all are known, but those that come then', () => {
  const kernel = new Kernel();
  for (let index = 0; index <= UNREAD_LOG_BYTES / 8; index++) kernel.loses(1);
  assert.equal(kernel.log.take(), null);
  kernel.loses(3);
  assert.deepEqual(kernel.log.take(), new Set([3]));
});

test('an entry that is counted and not yet written', () => {
  const kernel = new Kernel();
  kernel.loses(4);
  kernel.counts();
  assert.equal(kernel.log.take(), null);
});
