/** Rules over several events see real operations, and a replay of the recording raises the same alerts. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeCertificate } from '../support/certificate.ts';
import { requireKernel } from '../support/kernel.ts';
import { freePort } from '../support/ports.ts';
import { startThroughline, type JsonMessage, type Throughline } from '../support/throughline.ts';

requireKernel();

const directory = mkdtempSync(join(tmpdir(), 'throughline-sequences-'));
const at = (name: string): string => join(directory, name);
const PROGRAM = join(import.meta.dirname, '..', '..', 'bin', 'throughline');
const RULES = join(import.meta.dirname, '..', '..', 'rules');

/** An address of the loopback interface that the rules below take for another host's. */
const ELSEWHERE = '127.9.9.9';

/** Those that come with the program, without the exceptions for builds: a test may be part of one. */
function writeRules(): void {
  for (const name of ['base', 'web', 'execution', 'network'])
    writeFileSync(
      at(`${name}.yaml`),
      readFileSync(join(RULES, `${name}.yaml`), 'utf8')
        .replaceAll('and not by_build\n', '\n')
        .replaceAll('and not by_administration\n', '\n')
        .replaceAll('"127.0.0.0/8"', '"127.0.0.0/16"'),
    );
}

/** Lets in whoever knows the password, and keeps what is put. */
const SERVER = `
import http.server, os, socket, ssl, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def body(self):
        return self.rfile.read(int(self.headers.get('Content-Length', 0)))
    def answer(self, status, text=b''):
        self.send_response(status)
        self.send_header('Content-Length', str(len(text)))
        self.end_headers()
        self.wfile.write(text)
    def do_POST(self):
        self.answer(200 if b'password=right' in self.body() else 401)
    def do_PUT(self):
        path = sys.argv[1] + self.path
        with open(path, 'wb') as file:
            file.write(self.body())
        os.chmod(path, 0o755)
        self.answer(201)
    def do_GET(self):
        if self.path.startswith('/ask/'):
            with socket.create_connection(('127.0.0.1', int(self.path.split('/')[2]))) as redis:
                redis.sendall(b'*2\\r\\n$6\\r\\nNOSUCH\\r\\n$1\\r\\nx\\r\\n')
                self.answer(200, redis.recv(1000))
            return
        with open('/bin/true', 'rb') as file:
            self.answer(200, file.read())
    def log_message(self, *args):
        pass
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
if len(sys.argv) > 2:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
`;

/** Fields of requests that are known only here: what the greeting of TLS said, and what detectors found. */
const OWN_RULES = `
- rule: Greeting
  desc: d
  condition: evt.type = http_request and tls.sni = shop.example and req.endpoint = "GET /users/:id"
  output: "%http.version %tls.version %tls.ja4"
  priority: NOTICE
- rule: Refused
  desc: d
  condition: evt.type = db_response and db.error exists and req.id exists
  output: "%db.operation %db.error %http.target"
  priority: NOTICE
- rule: Attacked and answered
  desc: d
  condition: evt.type = http_response and req.verdict = PROBED
  output: "%http.target"
  priority: NOTICE
`;
const FILES = ['base', 'web', 'execution', 'network', 'own'];
const RULE_OPTIONS = ['--rule-matching', 'all', ...FILES.flatMap((name) => ['--rules', at(`${name}.yaml`)])];

async function start(...options: readonly string[]): Promise<{ server: ChildProcess; port: number }> {
  const server = spawn('python3', [at('server.py'), directory, ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(server.stdout ?? assert.fail(), 'data')) as [Buffer];
  return { server, port: Number(String(line)) };
}

const alertsOf = (agent: Throughline, rule: string): readonly JsonMessage[] =>
  agent.ofKind('alert').filter((alert) => alert['rule'] === rule);
const untilAlert = (agent: Throughline, rule: string): Promise<JsonMessage> =>
  agent.waitFor((message) => message.kind === 'alert' && message['rule'] === rule);

suite('sequences', () => {
  let agent: Throughline;
  let server: ChildProcess;
  let url = '';

  before(async () => {
    writeRules();
    writeFileSync(at('server.py'), SERVER);
    writeFileSync(at('own.yaml'), OWN_RULES);
    agent = await startThroughline(['run', '--json', '--record', at('recording'), ...RULE_OPTIONS]);
    const started = await start();
    server = started.server;
    url = `http://127.0.0.1:${started.port}`;
  });

  after(async () => {
    server.kill();
    await agent.kill();
  });

  const login = async (password: string): Promise<number> =>
    (await fetch(`${url}/login`, { method: 'POST', body: `user=admin&password=${password}` })).status;

  test('a password is guessed: refused often, then let in', async () => {
    assert.equal(await login('right'), 200);
    for (let tries = 0; tries < 12; tries++) assert.equal(await login(`wrong${tries}`), 401);
    assert.equal(await login('right'), 200);
    const alert = await untilAlert(agent, 'Password of an account guessed');
    assert.match(
      String(alert['output']),
      /POST \/login from 127\.0\.0\.1\) \(status=200 before=401 server=python3/,
    );
    const { steps, by } = alert['sequence'] as { steps: { name: string | null }[]; by: object };
    assert.deepEqual(
      steps.map(({ name }) => name),
      ['failed', null],
    );
    assert.deepEqual(by, { 'http.client_ip': '127.0.0.1', 'proc.name': 'python3', 'http.path': '/login' });
    assert.equal(alertsOf(agent, 'Password of an account guessed').length, 1);
  });

  test('a request writes a program that somebody else runs', async () => {
    const response = await fetch(`${url}/dropped`, { method: 'PUT', body: readFileSync('/bin/true') });
    assert.equal(response.status, 201);
    execFileSync(at('dropped'));
    const alert = await untilAlert(agent, 'Program written by a request and run');
    assert.match(
      String(alert['output']),
      /written by python3 for PUT \/dropped from 127\.0\.0\.1, grade=exact/,
    );
  });

  test('a download is made executable and run; a copy is not a download', async () => {
    copyFileSync('/bin/true', at('copied'));
    chmodSync(at('copied'), 0o755);
    execFileSync(at('copied'));
    execFileSync('curl', ['-so', at('fetched'), `${url}/tool`]);
    execFileSync('chmod', ['+x', at('fetched')]);
    execFileSync(at('fetched'));
    const alert = await untilAlert(agent, 'Download made executable and run');
    const fields = alert['output_fields'] as Record<string, unknown>;
    assert.match(String(fields['download.proc.cmdline']), new RegExp(`^curl -so ${at('fetched')}`));
    assert.equal(fields['change.proc.cmdline'], `chmod +x ${at('fetched')}`);
    assert.equal(alertsOf(agent, 'Download made executable and run').length, 1);
  });

  test('a process scans ports; those of its own loopback are its own affair', async () => {
    for (let port = 2; port < 40; port++) await connects('127.0.0.1', port);
    for (let port = 2; port < 40; port++) await connects(ELSEWHERE, port);
    const alert = await untilAlert(agent, 'Ports of a host scanned');
    const { by } = alert['sequence'] as { by: Record<string, unknown> };
    assert.equal(by['fd.rip'], ELSEWHERE);
    assert.equal(alertsOf(agent, 'Ports of a host scanned').length, 1);
  });

  test('what a client said of itself, and what detectors said of its request', async () => {
    const { certificateFile, keyFile } = makeCertificate(directory);
    const secured = await start(certificateFile, keyFile);
    try {
      const name = `shop.example:${secured.port}`;
      const get = () =>
        execFileSync('curl', ['-sk', '--resolve', `${name}:127.0.0.1`, `https://${name}/users/42`], {
          stdio: 'ignore',
        });
      // The first ones may come before the library is probed.
      for (let tries = 0; tries < 20 && alertsOf(agent, 'Greeting').length === 0; tries++) {
        get();
        await sleep(250);
      }
      const alert = await untilAlert(agent, 'Greeting');
      assert.match(String(alert['output']), /1\.1 TLS 1\.3 t13d\w+$/);
    } finally {
      secured.server.kill();
    }
    await fetch(`${url}/file?name=../../../../etc/passwd%00`);
    await untilAlert(agent, 'Attacked and answered');
  });

  test('what a data service refused, when it has answered', async () => {
    const port = await freePort();
    const options = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--dir', directory];
    const redis = spawn('/usr/bin/redis-check-rdb', options, { argv0: 'redis-server', stdio: 'ignore' });
    try {
      for (let tries = 0; tries < 100 && !(await connects('127.0.0.1', port)); tries++) await sleep(50);
      assert.match(await (await fetch(`${url}/ask/${port}`)).text(), /^-ERR/);
      const alert = await untilAlert(agent, 'Refused');
      assert.match(String(alert['output']), new RegExp(`NOSUCH ERR /ask/${port}$`));
    } finally {
      redis.kill();
    }
  });

  test('a replay raises the same alerts', async () => {
    await sleep(300);
    const live = agent.ofKind('alert');
    assert.ok(live.length >= 3);
    await agent.stop();
    assert.ok(existsSync(at('recording')));
    const stdout = execFileSync(PROGRAM, ['replay', at('recording'), '--json', ...RULE_OPTIONS], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
    const again = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as JsonMessage)
      .filter(({ kind }) => kind === 'alert');
    assert.deepEqual(again, live);
  });
});

function connects(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.on('error', () => resolve(false));
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
