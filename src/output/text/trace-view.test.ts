import { strict as assert } from 'node:assert';
import { suite, test } from 'node:test';
import type { QueryEffect } from '../../model/effect.ts';
import { effectView } from '../effect-view.ts';
import { lateEffectView, orphanView, requestView } from '../request-view.ts';
import { exactly, sampleContext, SampleProgram, sampleProcess, sampleRequest } from '../sample-story.ts';
import { requestTreeText } from './request-text.ts';
import { createTerminal, type Terminal } from './terminal.ts';
import { TraceView } from './trace-view.ts';
import { displayWidth } from './width.ts';

const terminalOf = (
  columns: number | null,
  variables: Record<string, string> = { LANG: 'C.UTF-8' },
): Terminal => createTerminal({ isTty: false, columns, variables, timeZone: 'UTC' });
const plain = terminalOf(null);
const request = sampleRequest();
const server = new SampleProgram(request.process, exactly(request));

/** Below the request's own line. */
function tree(effects: Parameters<typeof effectView>[0][], terminal = plain, showsAll = false): string {
  const view = requestView({ ...request, effects }, sampleContext);
  return requestTreeText(view, terminal, { showsAll }).replace(/^.*\n/, '');
}

const query: QueryEffect = {
  ...server.connect('10.0.0.7', 5432),
  type: 'query',
  query: {
    protocol: 'postgresql',
    operation: 'SELECT',
    statement: 'SELECT *\n  FROM users\n WHERE id = $1',
    parameters: ['42'],
    database: 'shop',
    user: 'app',
    isTruncated: false,
    anomalies: [],
  },
  remote: { address: '10.0.0.7', port: 5432 },
  outcome: { isError: false, code: '', message: '', rows: 1, answers: [] },
  endedNs: 0,
};
const answered = { ...query, endedNs: query.timeNs + 1.2e6 };

suite('folding', () => {
  test('runs of files in a directory, and of files that are not there', () => {
    const pages = ['a', 'b', 'c', 'd', 'e'].map((name) => server.open(`/srv/app/views/${name}.html`));
    const missing = ['/', '/srv/', '/srv/app/', '/srv/app/x/'].map((directory) =>
      server.open(`${directory}.htaccess`, { error: 2 }),
    );
    const written = server.open('/srv/app/views/log', { isWrite: true });
    assert.equal(
      tree([...missing, ...pages, written]),
      `├─ open 4 files: /.htaccess, /srv/.htaccess, /srv/app/.htaccess, /srv/app/x/.htaccess  ENOENT
├─ open 5 files in /srv/app/views: a.html, b.html, c.html, d.html, e.html
└─ write /srv/app/views/log
`,
    );
    assert.equal(tree([...missing, ...pages, written], plain, true).split('\n').length, 11);
    assert.match(tree(pages, terminalOf(50)), /\n└─ open 5 files in \/srv\/app\/views: a\.html, …\n$/);
  });

  test('files of the system stay one by one: each may be the story', () => {
    const files = ['passwd', 'group', 'shadow', 'sudoers', 'hostname'].map((name) =>
      server.open(`/etc/${name}`),
    );
    assert.equal(tree(files).split('\n').length, 6);
  });

  test('the same program in a loop, and copies of a shell that did nothing', () => {
    const run = (pid: number, name: string, code = 0) => {
      const program = new SampleProgram(
        sampleProcess({ pid, parentPid: 4211, comm: name }),
        exactly(request),
      );
      return [program.exec([name, '-q'], `/usr/bin/${name}`), program.exit(code)];
    };
    const fork = new SampleProgram(sampleProcess({ pid: 9, parentPid: 4211, comm: 'sh' }), exactly(request));
    const effects = [
      ...run(1, 'jpeg'),
      ...run(2, 'jpeg'),
      ...run(3, 'jpeg'),
      ...run(4, 'jpeg', 1),
      fork.exit(0),
    ];
    assert.equal(
      tree(effects),
      `├─ jpeg -q  pid 1 and 2 more, as www-data, 1 ms, exit 0
├─ jpeg -q  pid 4, as www-data, 1 ms, exit 1
└─ + 1 routine effect
`,
    );
  });
});

suite('queries', () => {
  test('question and answer on one line', () => {
    assert.equal(
      tree([answered]),
      '└─ query postgresql: SELECT * FROM users WHERE id = $1  (42)  shop at 10.0.0.7:5432, 1 row, 1.2 ms\n',
    );
    const failed = { isError: true, code: '42601', message: 'syntax error', rows: null, answers: [] };
    assert.match(tree([{ ...answered, outcome: failed }]), /5432, error 42601 syntax error, 1\.2 ms\n$/);
    assert.match(tree([{ ...query, outcome: null, endedNs: null }]), /5432, no answer\n$/);
    const lookup = {
      ...answered,
      query: {
        ...query.query,
        protocol: 'dns',
        operation: 'A',
        statement: 'db.internal',
        parameters: [],
        database: '',
      },
      outcome: { ...failed, isError: false, answers: ['10.0.0.7'] },
    };
    assert.match(
      tree([lookup]),
      /query dns: A db\.internal {2}at 10\.0\.0\.7:5432, → 10\.0\.0\.7, 1\.2 ms\n$/,
    );
  });

  test('credentials in them are masked', () => {
    const masked = (operation: string, statement: string, parameters: string[] = []) => {
      const view = effectView(
        { ...query, query: { ...query.query, operation, statement, parameters } },
        sampleContext,
      );
      return view.type === 'query' ? [view.statement, ...view.parameters].join('|') : '';
    };
    assert.equal(
      masked('UPDATE', "UPDATE u SET password = 'x', name='y'"),
      "UPDATE u SET password = '***', name='y'",
    );
    assert.equal(masked('CREATE', "CREATE USER a WITH PASSWORD 'x'"), "CREATE USER a WITH PASSWORD '***'");
    assert.equal(masked('CREATE', "create user a identified by 'x'"), "create user a identified by '***'");
    assert.equal(masked('AUTH', 'AUTH bob hunter2', ['hunter2']), 'AUTH ***|***');
    assert.equal(masked('SELECT', "SELECT 'x'", ['y']), "SELECT 'x'|y");
    const startedAt = performance.now();
    masked('X', 'password'.repeat(4000) + ' '.repeat(30_000) + 'identified '.repeat(3000));
    assert.ok(performance.now() - startedAt < 1000);
  });
});

suite('widths', () => {
  test('a long command goes on over lines, its end stays readable', () => {
    const shell = new SampleProgram(sampleProcess({ pid: 5, parentPid: 4211 }), exactly(request));
    const effects = [
      shell.exec(
        ['sh', '-c', 'convert /srv/in/picture.png -resize 200x200 /srv/out/picture.jpg; id'],
        '/usr/bin/sh',
      ),
      shell.open('/srv/in/picture.png'),
      shell.exit(0),
    ];
    assert.equal(
      tree(effects, terminalOf(60)).replace(/^.*\n/, ''),
      `└─ sh -c 'convert /srv/in/picture.png -resize 200x200
   │  /srv/out/picture.jpg; id'
   │  pid 5, as www-data, 2 ms, exit 0
   └─ open /srv/in/picture.png
`,
    );
  });

  test('hostile names widen no line and end no line', () => {
    const hostile = '\x1b[2J\u202e\r\n写' + 'x'.repeat(300);
    const bad = new SampleProgram(
      sampleProcess({ pid: 5, parentPid: 4211, comm: hostile }),
      exactly(request),
    );
    const effects = [
      bad.exec([hostile, hostile], hostile),
      bad.open('/a/b/c/d' + hostile),
      bad.connect(hostile, 1, { family: 'unix' }),
      ...['1', '2', '3', '4'].map((name) => bad.open(`/a/${hostile}/${hostile}${name}`, { error: 2 })),
      {
        ...answered,
        query: { ...query.query, statement: hostile, parameters: [hostile], database: hostile },
      },
    ];
    for (const columns of [10, 40, 100])
      for (const terminal of [terminalOf(columns), terminalOf(columns, {})]) {
        const text = requestTreeText(requestView({ ...request, effects }, sampleContext), terminal, {
          showsAll: false,
        });
        // oxlint-disable-next-line no-control-regex
        assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
        for (const line of text.split('\n')) assert.ok(displayWidth(line) <= columns, line);
      }
  });
});

suite('what comes later', () => {
  const shown = requestView(request, sampleContext);

  test('late effects follow together below a short header', () => {
    const view = new TraceView(plain, { showsAll: false });
    view.add(shown);
    const job = new SampleProgram(sampleProcess({ pid: 8, parentPid: 4211, comm: 'mail' }), exactly(request));
    const effects = [job.exec(['mail'], '/usr/bin/mail'), job.connect('10.0.0.9', 25), job.exit(0)];
    for (const effect of effects)
      assert.equal(view.add(lateEffectView(request, effect, sampleContext)), '', 'waits for more');
    assert.equal(view.tick(), '');
    assert.match(
      view.tick(),
      /^12:04:31\.\d{3} {2}later GET \/ping\?host=127\.0\.0\.1;id \(r-7f3a-12\)\n└─ mail {2}pid 8, as www-data, 2 ms, exit 0\n {3}└─ connect 10\.0\.0\.9:25\n$/,
    );
    view.add(lateEffectView(request, job.open('/etc/ld.so.cache'), sampleContext));
    view.add(lateEffectView(request, { ...job.exit(0), pid: 9 }, sampleContext));
    view.add(orphanView(job.open('/usr/lib/x.so'), sampleContext));
    assert.equal(view.end(), '', 'routine alone makes no block');
  });

  test('a program that outlives its request is named again when it ends', () => {
    const view = new TraceView(plain, { showsAll: false });
    const sleep = new SampleProgram(
      sampleProcess({ pid: 8, parentPid: 4211, comm: 'sleep' }),
      exactly(request),
    );
    const started = sleep.exec(['sleep', '60'], '/usr/bin/sleep');
    view.add(requestView({ ...request, effects: [started] }, sampleContext));
    const ended = { ...sleep.exit(0), timeNs: started.timeNs + 60e9 };
    view.add(lateEffectView(request, ended, sampleContext));
    assert.match(view.end(), /later GET .*\n└─ sleep 60 {2}pid 8, as www-data, 1 min 0 s, exit 0\n$/);
  });

  test('unplaced effects of a process stand below the requests that may have caused them', () => {
    const view = new TraceView(plain, { showsAll: false });
    const other = sampleRequest({ id: 'r-2' }, '/other');
    const attribution = { grade: 'ambiguous', reason: '2 in flight', request: null } as const;
    const program = new SampleProgram(request.process, { ...attribution, candidates: [request, other] });
    const alone = new SampleProgram(request.process, { ...attribution, reason: 'unseen', candidates: [] });
    let text = '';
    for (const effect of [program.open('/a'), program.open('/b'), alone.connect('10.0.0.1', 80)])
      text += view.add(orphanView(effect, sampleContext));
    view.add(shown);
    assert.equal(text, '');
    assert.match(
      view.end(),
      /^12:04:31\.\d{3} {2}\[ambiguous\] {2}node\[4211\] {2}3 effects that cannot be given to one request:\n├─ of GET \/ping\?host=127\.0\.0\.1;id \(r-7f3a-12\) or r-2: 2 in flight\n│ {2}├─ open \/a\n│ {2}└─ open \/b\n├─ unseen\n│ {2}└─ connect 10\.0\.0\.1:80\n$/,
    );
  });

  test('what an event loop does for each of its requests is said once', () => {
    const view = new TraceView(plain, { showsAll: false });
    const requests = Array.from({ length: 6 }, (_, index) => sampleRequest({ id: `r-${index}` }));
    const attribution = { grade: 'ambiguous', reason: 'several in flight', request: null } as const;
    for (const count of [2, 3, 4, 6]) {
      const candidates = requests.slice(0, count);
      const program = new SampleProgram(request.process, { ...attribution, candidates });
      view.add(orphanView(program.connect('/run/fpm.sock', 0, { family: 'unix' }), sampleContext));
    }
    assert.match(
      view.end(),
      /4 effects that .*\n├─ 4 times, each of 2 to 6 requests: several in flight\n│ {2}└─ connect unix:\/run\/fpm\.sock\n$/,
    );
  });
});

suite('a proxy and what is behind it', () => {
  const front = sampleRequest({
    id: 'r-front',
    process: sampleProcess({ pid: 812, comm: 'nginx', serviceUnit: null }),
  });
  const behind = {
    ...sampleRequest({ id: 'r-behind' }),
    hop: { proxy: front.process, front, grade: 'linked' as const, reason: 'why', candidates: [front] },
  };
  const app = new SampleProgram(behind.process, exactly(behind));
  const sent: QueryEffect = {
    ...answered,
    pid: 812,
    attribution: { ...exactly(front), grade: 'linked' },
    servedAs: behind,
  };
  const frontView = requestView({ ...front, effects: [sent] }, sampleContext);
  const behindView = requestView({ ...behind, effects: [app.open('/srv/app/views/a')] }, sampleContext);

  test('are one tree, in whatever order they come', () => {
    const whole = `12:04:31.207  GET /ping?host=127.0.0.1;id  200  43 ms  203.0.113.9:51944 \u2192 nginx[812]  r-front
\u2514\u2500 \u2192 node[4211]  GET /ping?host=127.0.0.1;id  200  43 ms  r-behind [linked]
   \u2514\u2500 open /srv/app/views/a
`;
    for (const order of [
      [frontView, behindView],
      [behindView, frontView],
    ]) {
      const view = new TraceView(plain, { showsAll: false });
      assert.equal(order.map((one) => view.add(one)).join(''), whole);
      assert.equal(view.end(), '');
    }
  });

  test('alone, each is shown after a moment, with the client of the proxy', () => {
    const view = new TraceView(plain, { showsAll: false });
    assert.equal(view.add(behindView), '');
    assert.equal(view.tick(), '');
    assert.match(
      view.tick(),
      /  203\.0\.113\.9:51944 through nginx\[812\] \u2192 node\[4211\] shop\.service  r-behind\n/,
    );
    assert.match(
      view.add(frontView),
      /nginx\[812\]  r-front\n\u2514\u2500 query postgresql/,
      'the other one was told',
    );
    assert.equal(view.end(), '');
  });

  test('a claim is called one', () => {
    const { message } = request;
    const claiming = { ...request, message: { ...message, headers: [['x-real-ip', '192.0.2.7']] as const } };
    const text = requestTreeText(requestView(claiming, sampleContext), plain, { showsAll: false });
    assert.match(text, /  203\.0\.113\.9:51944 \(claims to be for 192\.0\.2\.7\) \u2192 node/);
  });
});
