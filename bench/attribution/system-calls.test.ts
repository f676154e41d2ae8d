import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readTotal } from './system-calls.ts';

test('the closing line of strace -c', () => {
  const text = `% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.00    0.006000          10       600           epoll_wait
 40.00    0.004000          10       400        12 read
------ ----------- ----------- --------- --------- ----------------
100.00    0.010000          10      1000        12 total
`;
  assert.equal(readTotal(text), 1000);
  assert.equal(readTotal('strace: nothing'), null);
});
