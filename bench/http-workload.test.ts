import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseWrk } from './http-workload.ts';

const OUTPUT = `Running 6s test @ http://127.0.0.1:4000/
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.07ms  389.33us  12.05ms   96.93%
    Req/Sec    30.23k     2.21k   32.79k    88.33%
  Latency Distribution
     50%  985.00us
     75%    1.05ms
     90%    1.19ms
     99%    2.71ms
  180462 requests in 6.00s, 31.32MB read
Requests/sec:  30074.61
Transfer/sec:      5.22MB
`;

test('reads rate and latencies, in ms whatever the unit', () => {
  assert.deepEqual(parseWrk(OUTPUT), { requests: 180_462, rate: 30_074.61, p50: 0.985, p99: 2.71 });
  assert.equal(parseWrk(OUTPUT.replace('2.71ms', '1.20s')).p99, 1200);
});

test('a run with failed requests is no measurement', () => {
  assert.throws(() => parseWrk(`${OUTPUT}  Non-2xx or 3xx responses: 12\n`), /Non-2xx or 3xx responses: 12/);
  assert.throws(
    () => parseWrk(`${OUTPUT}  Socket errors: connect 0, read 3, write 0, timeout 0\n`),
    /read 3/,
  );
});

test('output of another shape is an error', () => {
  assert.throws(() => parseWrk('unable to connect\n'), /cannot read/);
});
