/** Sigma rules of our own, converted by the command, raise alerts for what they mean when it is really done, and for nothing else. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { requireKernel } from '../support/kernel.ts';
import { runToEnd } from '../support/event-log.ts';
import { startThroughline, type Throughline } from '../support/throughline.ts';

requireKernel();

const directory = mkdtempSync(join(tmpdir(), 'Throughline-Sigma-'));
const at = (name: string): string => join(directory, name);
const server = createServer((socket) => socket.destroy());
let agent: Throughline;
let port = 0;

/** A rule in the Sigma format; the members of the detection in one line each. */
const sigma = (title: string, category: string, ...detection: readonly string[]): string =>
  [`title: ${title}`, `logsource: {product: linux, category: ${category}}`, 'level: high', 'detection:']
    .concat(detection.map((line) => `  ${line}`))
    .join('\n');

const rules = () =>
  [
    // The folder has capital letters, which these do not.
    sigma(
      'Program',
      'process_creation',
      `s: {Image|endswith: /probe, CommandLine|contains|all: [${directory.toLowerCase()}, ' --Mark ']}`,
      'f: {CommandLine|endswith: harmless}',
      'condition: s and not f',
    ),
    sigma(
      'Cased',
      'process_creation',
      `s: {CommandLine|contains|cased: ${directory.toLowerCase()}}`,
      'condition: s',
    ),
    sigma(
      'Folder',
      'process_creation',
      `s: {CurrentDirectory: ${directory}, Image|re: '/pr[o]be$'}`,
      'condition: s',
    ),
    sigma(
      'Made',
      'file_event',
      `s: {TargetFilename|startswith: ${directory}/, TargetFilename|endswith: ['.SH', .py]}`,
      'condition: s',
    ),
    sigma('Removed', 'file_delete', `s: {TargetFilename: '${directory}/m?de.*'}`, 'condition: s'),
    sigma(
      'Connected',
      'network_connection',
      `s: {Initiated: 'true', DestinationPort: ${port}}`,
      'n: {DestinationIp|cidr: 127.0.0.0/8}',
      'condition: s and n',
    ),
    sigma(
      'From here',
      'network_connection',
      `s: {Initiated: 'true', DestinationPort: ${port}, SourceIp: 127.0.0.7, SourcePort|gt: 1}`,
      'condition: s',
    ),
    sigma(
      'Elsewhere',
      'network_connection',
      `s: {Initiated: 'true', DestinationPort: ${port}}`,
      'n: {DestinationIp|cidr: 127.0.0.0/8}',
      'condition: s and not n',
    ),
  ].join('\n---\n');

before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ({ port } = server.address() as AddressInfo);
  copyFileSync('/bin/true', at('probe'));
  execFileSync('chmod', ['755', at('probe')]);
  writeFileSync(at('rules.yml'), rules());
  const cli = join(import.meta.dirname, '..', '..', 'bin', 'throughline');
  execFileSync(cli, ['rules', 'import', 'sigma', at('rules.yml'), '-o', at('rules.yaml')]);
  execFileSync(cli, ['rules', 'check', '--strict', at('rules.yaml')]);
  agent = await startThroughline(['run', '--json', '--rules', at('rules.yaml'), '--rule-matching', 'all']);
});
after(async () => {
  await agent.stop();
  server.close();
  rmSync(directory, { recursive: true, force: true });
});

const of = (rule: string): string[] =>
  agent
    .ofKind('alert')
    .filter((alert) => alert['rule'] === rule)
    .map((alert) => String(alert['output']));
const until = async (rule: string, count = 1) => {
  await agent.waitFor(() => of(rule).length >= count);
  assert.equal(of(rule).length, count, of(rule).join('\n'));
};

suite('converted rules', () => {
  test('on programs: paths and arguments in any case, exceptions, working directories', async () => {
    await runToEnd(at('probe'), [directory, '--mark', 'harmless']);
    await runToEnd(at('probe'), [directory, '--mark', 'x'], { cwd: '/' });
    await until('Program');
    assert.match(
      of('Program').join(''),
      /Error Program \(program=\S+\/probe command=\S+ \S+ --mark x parent=/,
    );
    await runToEnd(at('probe'), [], { cwd: directory });
    await until('Folder');
    assert.deepEqual(of('Cased'), []);
  });

  test('on files: made and overwritten, not read; removed', async () => {
    await runToEnd('/bin/sh', ['-c', 'echo > made.sh; echo > made.txt; cat made.sh; rm made.sh'], {
      cwd: directory,
    });
    await until('Removed');
    await until('Made');
    assert.match(of('Made').join(''), new RegExp(`file=${at('made.sh')} `));
  });

  test('on connections: to networks, by whoever makes them', async () => {
    const from = (address: string) =>
      `import socket; socket.create_connection(("127.0.0.1", ${port}), source_address=("${address}", 0))`;
    await runToEnd('/usr/bin/python3', ['-c', from('127.0.0.1')]);
    await until('Connected');
    assert.match(
      of('Connected').join(''),
      new RegExp(`connection=127\\.0\\.0\\.1:\\d+->127\\.0\\.0\\.1:${port} protocol=tcp program=/`),
    );
    assert.deepEqual(of('Elsewhere'), []);
    await runToEnd('/usr/bin/python3', ['-c', from('127.0.0.7')]);
    await until('From here');
    await until('Connected', 2);
  });
});
