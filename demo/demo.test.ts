import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

function runDemo(...args: string[]): Promise<{ code: number | string; stdout: string; stderr: string }> {
  return new Promise((done) => {
    execFile(process.execPath, [join(import.meta.dirname, 'run.ts'), ...args], (error, stdout, stderr) => {
      done({ code: error?.code ?? 0, stdout, stderr });
    });
  });
}

interface Line {
  readonly kind: string;
  readonly target?: string;
  readonly status?: number;
  readonly body?: string;
  readonly expected?: string | null;
  readonly message?: string | null;
  readonly pid?: number;
}

test('the demo attacks its service: the holes work, the safe twins hold, and nothing is left running', async () => {
  const { code, stdout, stderr } = await runDemo('--json', '--traversal');
  assert.equal(code, 0, stderr);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
  const attacks = lines.filter((line) => line.expected != null);
  const holes = attacks.filter((line) => line.expected === 'EXPLOITED');
  const twins = attacks.filter((line) => line.expected === 'PROBED');
  assert.deepEqual(
    holes.map((line) => line.target?.split('?')[0]),
    ['/ping', '/file'],
  );
  assert.match(holes[0]?.body ?? '', /^uid=\d+/m);
  assert.match(holes[1]?.body ?? '', /^root:/m);
  assert.deepEqual(
    twins.map((line) => line.status),
    [502, 403],
  );
  for (const twin of twins) assert.doesNotMatch(twin.body ?? '', /^(uid=|root:)/m);
  const ordinary = lines.filter((line) => line.kind === 'request' && line.expected === null);
  assert.ok(ordinary.length >= 4);
  assert.ok(ordinary.every((line) => line.status === 200));
  assert.equal(lines.find((line) => line.kind === 'connection')?.message, 'it worked');
  const pid = lines.find((line) => line.kind === 'service')?.pid ?? 0;
  assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
});

test('the service listens on loopback only', async () => {
  const service = join(import.meta.dirname, 'service.ts');
  const { promise, resolve } = Promise.withResolvers<string>();
  execFile(process.execPath, [service, '--host', '0.0.0.0'], (error, _stdout, stderr) => {
    resolve(`${error?.code} ${stderr}`);
  });
  assert.match(await promise, /^2 .*127\.0\.0\.1 only/);
});
