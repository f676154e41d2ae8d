import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Integrity, type ElementAccess } from './integrity.ts';

/** Tables of elements of four bytes; a table of programs (number 9) shows other numbers than were written. */
function host() {
  const tables = new Map<string, Uint8Array>();
  const native: ElementAccess = {
    lookupElement(fd, key, value) {
      const found = tables.get(`${fd} ${key.join()}`);
      if (found === undefined) return -2;
      value.set(fd === 9 ? found.map((byte) => byte + 100) : found);
      return 0;
    },
    updateElement(fd, key, value) {
      tables.set(`${fd} ${key.join()}`, Uint8Array.from(value));
      return 0;
    },
  };
  const variables = new DataView(new ArrayBuffer(64));
  return { tables, variables, integrity: new Integrity(native, variables) };
}

const key = Uint8Array.of(3, 0, 0, 0);

test('what nobody has changed is left alone', () => {
  const { integrity, variables } = host();
  integrity.setWord('a', 8, 7);
  integrity.setBit('b', 16, 40, true);
  integrity.setBit('b', 16, 41, true);
  integrity.setBit('b', 16, 40, false);
  assert.equal(integrity.setElement('c', 9, key, Uint8Array.of(1, 2, 3, 4)), 0);
  assert.deepEqual(integrity.repair(), []);
  assert.deepEqual([variables.getUint32(8, true), variables.getUint32(20, true)], [7, 1 << 9]);
});

test('what somebody has changed is named once, and put right', () => {
  const { integrity, variables, tables } = host();
  for (const index of [1, 33, 65]) integrity.setBit('calls', 16, index, true);
  integrity.setWord('agent', 8, 4_000_000_000);
  integrity.setElement('program', 9, key, Uint8Array.of(1, 2, 3, 4));
  integrity.setElement('plan', 2, key, Uint8Array.of(5, 6, 7, 8));
  for (let at = 0; at < 64; at++) variables.setUint8(at, 0);
  tables.delete('9 3,0,0,0');
  tables.set('2 3,0,0,0', Uint8Array.of(0, 0, 0, 0));
  assert.deepEqual(integrity.repair().toSorted(), ['agent', 'calls', 'plan', 'program']);
  assert.deepEqual(integrity.repair(), []);
  assert.equal(variables.getUint32(8, true), 4_000_000_000);
  assert.deepEqual(
    [16, 20, 24].map((at) => variables.getUint32(at, true)),
    [2, 2, 2],
  );
  assert.deepEqual([...(tables.get('9 3,0,0,0') ?? [])], [1, 2, 3, 4]);
});

test('what changes on purpose is not told', () => {
  const { integrity, variables } = host();
  integrity.setWord('a', 0, 1);
  integrity.setWord('a', 0, 0);
  integrity.setElement('c', 2, key, Uint8Array.of(1, 0, 0, 0));
  integrity.setElement('c', 2, key, Uint8Array.of(0, 0, 0, 0));
  assert.deepEqual(integrity.repair(), []);
  assert.equal(variables.getUint32(0, true), 0);
});
