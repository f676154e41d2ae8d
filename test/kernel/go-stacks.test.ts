/** TLS in Go on stacks that have to grow: a function that begins anew is one call. */
import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeCertificate } from '../support/certificate.ts';
import { requireKernel } from '../support/kernel.ts';
import { sendLoad } from '../support/load.ts';
import { NewerGo, whyNoNewerGo } from '../support/newer-go.ts';
import { freePort } from '../support/ports.ts';
import { answers, ProcessGroup } from '../support/process-group.ts';
import { untilProbed } from '../support/secured.ts';
import { buildGo } from '../support/server-kinds.ts';
import { whyUnavailable } from '../support/server.ts';
import { startThroughline, type Throughline } from '../support/throughline.ts';
import { idIn, traceOf, untilTraced } from '../support/truth.ts';

requireKernel();

const SOURCE = join(import.meta.dirname, 'programs', 'go-stacks.go');
const START_TIMEOUT_MS = 15_000;
const LATE_MS = 500;
const REQUESTS = { keepAlive: 3000, close: 500 } as const;
const CONCURRENCY = 16;
const ATTEMPTS = 3;

const COMPILERS = [
  { name: 'Go of the system', skip: whyUnavailable('go'), build: buildGo },
  {
    name: 'a newer Go',
    skip: whyNoNewerGo(),
    build: (directory: string, name: string, source: string) => new NewerGo(directory).build(name, source),
  },
] as const;

for (const { name, skip, build } of COMPILERS)
  suite(`stacks that grow in TLS of ${name}`, { skip: skip ?? false }, () => {
    const cleanup = new AsyncDisposableStack();
    let agent: Throughline;
    let server: { readonly url: string; readonly port: number };

    before(async () => {
      const directory = await mkdtemp(join(tmpdir(), 'throughline-go-stacks-'));
      cleanup.defer(() => rm(directory, { recursive: true, force: true }));
      await chmod(directory, 0o755);
      const { certificateFile, keyFile } = makeCertificate(directory);
      const program = build(directory, 'go-stacks', SOURCE);
      agent = await startThroughline(['trace', '--json']);
      cleanup.defer(async () => void (await agent.stop()));
      const port = await freePort();
      const url = `https://127.0.0.1:${port}`;
      const group = cleanup.use(
        new ProcessGroup({
          program,
          args: [`${port}`],
          env: {
            PATH: '/usr/bin:/bin',
            TLS_CERTIFICATE: certificateFile,
            TLS_KEY: keyFile,
            // New stacks stay small, whatever others need.
            GODEBUG: 'adaptivestackstart=0',
          },
          cwd: directory,
        }),
      );
      await group.untilReady('the server', () => answers(`${url}/`), START_TIMEOUT_MS);
      server = { url, port };
      await untilProbed(agent, server);
    });
    after(() => cleanup.disposeAsync());

    for (const keepAlive of [true, false])
      test(`each request and each reply is told once, ${keepAlive ? 'keep-alive' : 'close'}`, async (t) => {
        for (let attempt = 1; ; attempt++) {
          const first = agent.messages.length;
          const load = await sendLoad({
            url: server.url,
            requests: keepAlive ? REQUESTS.keepAlive : REQUESTS.close,
            concurrency: CONCURRENCY,
            keepAlive,
            target: (id) => `/?id=${id}`,
          });
          for (const { id, status, body } of load) assert.deepEqual([status, body], [200, `${id}\n`]);
          await untilTraced(agent, load);
          await sleep(LATE_MS);
          const messages = agent.messages.slice(first);
          if (messages.some(({ kind }) => kind === 'loss') && attempt < ATTEMPTS) continue;
          const told = new Map<string, string[]>(load.map(({ id }) => [id, []]));
          for (const { target, status, anomalies } of traceOf(messages).requests)
            told.get(idIn(target) ?? '')?.push(`${status} ${anomalies.join(' ')}`);
          const odd = [...told].filter(([, requests]) => requests.length !== 1 || requests[0] !== '200 ');
          t.diagnostic(`${odd.length} of ${load.length} requests were not told once, with their reply`);
          assert.deepEqual(odd.slice(0, 5), []);
          return;
        }
      });
  });
