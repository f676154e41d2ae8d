import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ByteSource } from './elf-file.ts';
import { behindStackCheck } from './go-stack-check.ts';

const BEFORE = 0x40;
const PADDING = '90'.repeat(24);

/** Where the probe goes, counted from the function's beginning. */
function placeIn(code: string, padding = PADDING): number {
  const bytes = Buffer.from('cc'.repeat(BEFORE) + code.replaceAll(' ', '') + padding, 'hex');
  const source: ByteSource = {
    sizeBytes: bytes.length,
    read: (offset, length) =>
      offset + length > bytes.length ? null : bytes.subarray(offset, offset + length),
  };
  return behindStackCheck(source, BEFORE) - BEFORE;
}

describe('the check of the stack at the beginning of functions of Go', () => {
  for (const [what, code, length] of [
    ['a small frame', '49 3b 66 10 76 2a', 6],
    ['a small frame of a long function', '49 3b 66 10 0f 86 64 07 00 00', 10],
    ['a frame of some hundred bytes', '4c 8d 64 24 98 4d 3b 66 10 0f 86 64 07 00 00', 15],
    ['such a one of a short function', '4c 8d 64 24 98 4d 3b 66 10 76 7f', 11],
    ['a large frame', '4c 8d a4 24 00 fd ff ff 4d 3b 66 10 0f 86 bc 28 00 00', 18],
  ] as const)
    test(`${what}: the probe stands behind it`, () => {
      assert.equal(placeIn(code), length);
    });

  for (const [what, code] of [
    ['none', '48 83 ec 10 48 89 6c 24 08'],
    ['another register with the limit', '49 3b 67 10 76 2a'],
    ['another member', '49 3b 66 18 76 2a'],
    ['another condition', '49 3b 66 10 77 2a'],
    ['a jump backwards', '49 3b 66 10 76 aa'],
    ['a long jump backwards', '49 3b 66 10 0f 86 64 07 00 80'],
    ['a frame that grows upwards', '4c 8d 64 24 18 4d 3b 66 10 0f 86 64 07 00 00'],
    ['the stack pointer compared, after all', '4c 8d 64 24 98 49 3b 66 10 0f 86 64 07 00 00'],
    ['a number that nobody has calculated', '4d 3b 66 10 76 2a'],
    // The frame is larger than any of ours: sub r12, jb, cmp, jbe.
    ['an enormous frame', '49 89 e4 49 81 ec 00 20 00 00 72 10 4d 3b 66 10 76 2a'],
  ] as const)
    test(`${what}: the probe stays at the beginning`, () => {
      assert.equal(placeIn(code), 0);
    });

  test('the file ends before', () => {
    assert.equal(placeIn('49 3b 66 10 76 2a', ''), 0);
  });
});
