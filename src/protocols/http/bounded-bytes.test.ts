import assert from 'node:assert/strict';
import { it } from 'node:test';
import { byteString, bytesOf } from '../../base/bytes.ts';
import { BoundedBytes } from './bounded-bytes.ts';

it('keeps bytes up to the limit, and copies them', () => {
  const kept = new BoundedBytes(10);
  const source = bytesOf('abcdefgh');
  kept.append(source, 2, 5);
  kept.append(source, 0, 4);
  source.fill(0);
  assert.equal(byteString(kept.bytes), 'cdeabcd');
  assert.equal(kept.isOverfull, false);
  kept.append(bytesOf('12345'), 0, 5);
  assert.equal(byteString(kept.bytes), 'cdeabcd123');
  assert.equal(kept.isFull, true);
  assert.equal(kept.isOverfull, true);
  kept.append(bytesOf('6'), 0, 1);
  assert.equal(kept.length, 10);
});
