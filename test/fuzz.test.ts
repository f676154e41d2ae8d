import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzz } from './fuzz.ts';

const SECONDS = 8;

test('damaged recordings and HTTP bytes: no exception escapes, memory is bounded', (t) => {
  // Always the same damage: what is new is looked for by `make fuzz`.
  const { recordings, readable, results, grownBytes } = fuzz(SECONDS, 20_240_229);
  t.diagnostic(
    `${recordings} recordings, ${readable} readable, ${results} results, ${grownBytes} bytes grown`,
  );
  assert.ok(recordings >= 20, `only ${recordings} recordings`);
  assert.ok(readable > recordings / 4, 'most damage leaves the recording readable');
  assert.ok(results > recordings, 'and the brain still says something');
});
