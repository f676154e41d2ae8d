import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { listeningProcesses, parseListening, readListeningSockets } from './listening-sockets.ts';

const folder = mkdtempSync(join(tmpdir(), 'throughline-ports-'));
after(() => rmSync(folder, { recursive: true }));

const TITLE =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';

function line(local: string, state: string, remote = '00000000:0000'): string {
  return `   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000  1000        0 12345 1 0 100 0`;
}

describe('a table of sockets', () => {
  test('gives the ports that listen, of both families', () => {
    const table = [
      TITLE,
      line('0100007F:1F90', '0A'),
      line('0100007F:C350', '01', '0100007F:1F90'),
      line('00000000000000000000000001000000:01BB', '0A'),
      line('00000000:FFFF', '0A'),
      line('00000000:0000', '0A'),
      '',
    ].join('\n');
    assert.deepEqual(
      parseListening(table),
      [8080, 443, 65_535].map((port) => ({ port, inode: '12345' })),
    );
  });

  test('what is no such table gives none', () => {
    for (const text of ['', TITLE, `${TITLE}\n\n`, `${TITLE}\nx`, `${TITLE}\n0: nonsense 0 0A`])
      assert.deepEqual(parseListening(text), [], JSON.stringify(text));
  });

  test('a table that was cut in the middle of a line', () => {
    const table = `${TITLE}\n${line('0100007F:1F90', '0A')}\n   1: 0100007F:1F`;
    assert.deepEqual(parseListening(table), [{ port: 8080, inode: '12345' }]);
  });
});

describe('the tables of the host', () => {
  function fakeProcess(proc: string, pid: string, namespace: string | null, tcp: string, tcp6 = TITLE): void {
    mkdirSync(join(proc, pid, 'net'), { recursive: true });
    mkdirSync(join(proc, pid, 'ns'));
    if (namespace !== null) symlinkSync(namespace, join(proc, pid, 'ns/net'));
    writeFileSync(join(proc, pid, 'net/tcp'), tcp);
    writeFileSync(join(proc, pid, 'net/tcp6'), tcp6);
  }

  test('are read once for each network namespace', () => {
    const proc = join(folder, 'proc');
    fakeProcess(
      proc,
      '1',
      'net:[1]',
      `${TITLE}\n${line('0:0050', '0A')}\n`,
      `${TITLE}\n${line('0:0051', '0A')}\n`,
    );
    fakeProcess(proc, '2', 'net:[1]', `${TITLE}\n${line('0:0052', '0A')}\n`);
    fakeProcess(proc, '3', 'net:[2]', `${TITLE}\n${line('0:0053', '0A')}\n`);
    fakeProcess(proc, '4', null, `${TITLE}\n${line('0:0054', '0A')}\n`);
    fakeProcess(proc, 'self', 'net:[3]', `${TITLE}\n${line('0:0055', '0A')}\n`);
    assert.deepEqual(
      readListeningSockets(proc).map(({ port }) => port),
      [0x50, 0x51, 0x53],
    );
  });

  test('may be missing', () => {
    assert.deepEqual(readListeningSockets(join(folder, 'none')), []);
    assert.deepEqual(listeningProcesses([{ port: 80, inode: '1' }], join(folder, 'none')), []);
  });

  test('show a socket of this process, which is found by it', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    const sockets = readListeningSockets().filter(({ port }) => port === address.port);
    const pids = listeningProcesses(sockets);
    server.close();
    assert.equal(sockets.length, 1);
    assert.deepEqual(pids, [process.pid]);
  });
});
