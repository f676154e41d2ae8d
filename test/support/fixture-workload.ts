/**
 * The load of a recorded fixture: starts one test server, sends it requests, ends. Run from a copy of test/ that stands
 * in a neutral place, so it imports nothing but its neighbours.
 *
 *   node test/support/fixture-workload.ts KIND REQUESTS CONCURRENCY
 */
import { sendLoad } from './load.ts';
import { SERVER_KINDS } from './server-kinds.ts';
import { startServer } from './server.ts';

const [word, requests, concurrency] = process.argv.slice(2);
const kind = SERVER_KINDS.find((one) => one === word);
if (kind === undefined) throw new Error(`no such kind of server: ${word}`);

await using server = await startServer(kind, 32);
const load = await sendLoad({
  url: server.url,
  requests: Number(requests),
  concurrency: Number(concurrency),
  sinkPorts: server.sinkPorts,
});
if (load.some(({ status }) => status !== 200)) throw new Error('the server did not answer everything');
