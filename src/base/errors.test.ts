import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ERRORS, ThroughlineError, type ErrorCode } from './errors.ts';

const CODES = Object.keys(ERRORS) as ErrorCode[];

describe('the catalogue', () => {
  test('codes are in order, so that a new one goes behind its kind', () => {
    assert.deepEqual(CODES, CODES.toSorted());
    for (const code of CODES) assert.match(code, /^TL\d{4}$/);
  });

  test('each says what happened and what to do, on one line', () => {
    for (const code of CODES) {
      const { message, hint } = ERRORS[code];
      assert.match(message, /^\S.*[^.\s]$/, code);
      assert.match(hint, /^\S.*[^.\s]$/, code);
      assert.equal(`${message}${hint}`.includes('\n'), false, code);
    }
  });

  test('messages differ, and exit codes are those of sysexits.h', () => {
    assert.equal(new Set(CODES.map((code) => ERRORS[code].message)).size, CODES.length);
    for (const code of CODES) {
      const { exitCode } = ERRORS[code];
      assert.ok(exitCode === 0 || (exitCode >= 64 && exitCode <= 78), code);
    }
  });
});

test('an error has its message, hint and exit code, with and without a detail', () => {
  const plain = new ThroughlineError('TL2001');
  assert.equal(plain.message, ERRORS.TL2001.message);
  assert.equal(plain.detail, '');
  const cause = new Error('why');
  const detailed = new ThroughlineError('TL2001', '/x (ENOENT)', { cause });
  assert.equal(detailed.message, `${ERRORS.TL2001.message}: /x (ENOENT)`);
  assert.equal(detailed.hint, ERRORS.TL2001.hint);
  assert.equal(detailed.exitCode, 66);
  assert.equal(detailed.cause, cause);
  assert.equal(detailed.name, 'ThroughlineError');
  assert.ok(detailed instanceof Error);
});
