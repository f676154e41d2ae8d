import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { alertOf } from '../alert.ts';
import type { RuleEvent } from '../event.ts';
import { RulesInForce } from '../rules-in-force.ts';
import { makeConnection, makeEvent, makeProcess, makeRequest, rulesOf } from '../testing.ts';

const SECOND = 1e9;

/** A rule over several events. */
function sequence(body: string, output = 'o'): string {
  return `- rule: r\n  desc: d\n  output: "${output}"\n  priority: NOTICE\n${body}`;
}

const STEPS = `  sequence:
    - as: write
      condition: evt.type = openat
      by: fd.name
    - as: chmod
      condition: evt.type = chmod
      by: fs.path.name
    - condition: evt.type = execve
      by: proc.exepath
  within: 60s
`;

/** Feeds events to a rule, and tells at which of them it matched, from 0. */
class Run {
  readonly set: RulesInForce;
  readonly alerts: ReturnType<typeof alertOf>[] = [];
  readonly matchedAt: number[] = [];
  #count = 0;

  constructor(...texts: readonly string[]) {
    this.set = new RulesInForce(rulesOf(...texts), {
      matching: 'first',
      onBroken: (_, error) => {
        throw error;
      },
    });
  }

  add(event: RuleEvent): this {
    this.set.evaluate(event, (rule, match) => {
      this.alerts.push(alertOf(rule, event, match));
      this.matchedAt.push(this.#count);
    });
    this.#count++;
    return this;
  }
}

const at = (seconds: number) => ({ timeNs: seconds * SECOND, wallMs: 1.7e12 + seconds * 1000 });
const write = (path: string, seconds: number, changes = {}) =>
  makeEvent({ type: 'openat', path, descriptor: { name: path }, ...at(seconds), ...changes });
const chmod = (path: string, seconds: number) => makeEvent({ type: 'chmod', path, ...at(seconds) });
const exec = (path: string, seconds: number, changes = {}) =>
  makeEvent({ type: 'execve', process: makeProcess({ executable: path, ...changes }), ...at(seconds) });

/** Whether the last event ends a write, a chmod and an exec of one path in this order within a minute, tried out one by one. */
function isChain(events: readonly { step: number; key: number; second: number }[]): boolean {
  const last = events.at(-1);
  if (last?.step !== 2) return false;
  return events.some(
    (one, begin) =>
      one.step === 0 &&
      one.key === last.key &&
      last.second - one.second <= 60 &&
      events.slice(begin).some(({ step, key }) => step === 1 && key === last.key),
  );
}

suite('a sequence', () => {
  test('matches its steps in order, joined by the values of each step', () => {
    assert.deepEqual(
      new Run(sequence(STEPS)).add(write('/a', 1)).add(chmod('/a', 2)).add(exec('/a', 3)).matchedAt,
      [2],
    );
    const others = new Run(sequence(STEPS));
    others.add(write('/a', 1)).add(exec('/a', 2)).add(chmod('/a', 3));
    others.add(write('/b', 4)).add(chmod('/c', 5)).add(exec('/b', 6)).add(exec('/c', 7));
    assert.deepEqual(others.matchedAt, []);
    others.add(exec('/a', 8));
    assert.deepEqual(others.matchedAt, [7], 'what came in between does not matter');
  });

  test('ends when the time from its first event is over, in the time of the events', () => {
    const run = new Run(sequence(STEPS));
    run.add(write('/a', 1)).add(chmod('/a', 50)).add(exec('/a', 61.1));
    assert.deepEqual(run.matchedAt, []);
    run.add(write('/a', 100)).add(chmod('/a', 110)).add(exec('/a', 160));
    assert.deepEqual(run.matchedAt, [5]);
  });

  test('of two beginnings the newer one counts, which has more time left', () => {
    const run = new Run(sequence(STEPS));
    run.add(write('/a', 1)).add(write('/a', 50)).add(chmod('/a', 70)).add(exec('/a', 100));
    assert.deepEqual(run.matchedAt, [3]);
  });

  test('is used up by a match, and begins anew', () => {
    const run = new Run(sequence(STEPS));
    run.add(write('/a', 1)).add(chmod('/a', 2)).add(exec('/a', 3)).add(exec('/a', 4)).add(chmod('/a', 5));
    assert.deepEqual(run.matchedAt, [2]);
    run.add(exec('/a', 6)).add(write('/a', 7)).add(chmod('/a', 8)).add(exec('/a', 9));
    assert.deepEqual(run.matchedAt, [2, 8]);
  });

  test('an event does one step of it alone', () => {
    const twice = '  sequence: [evt.type = execve, evt.type = execve]\n  within: 9s\n  by: proc.pid\n';
    const run = new Run(sequence(twice)).add(exec('/a', 1)).add(exec('/a', 2));
    assert.deepEqual(run.matchedAt, [1]);
  });

  test('an event that lacks a value that joins is no step', () => {
    const body =
      '  sequence: [evt.type = execve, evt.type = execve]\n  within: 9s\n  by: [proc.pid, http.method]\n';
    const run = new Run(sequence(body)).add(exec('/a', 1)).add(exec('/a', 2));
    assert.deepEqual(run.matchedAt, []);
  });

  test('values that are joined do not run into each other', () => {
    const body =
      '  sequence: [evt.type = openat, evt.type = openat]\n  within: 9s\n  by: [fd.name, fs.path.nameraw]\n';
    const run = new Run(sequence(body));
    run.add(write('ab', 1, { pathRaw: 'c' })).add(write('a', 2, { pathRaw: 'bc' }));
    assert.deepEqual(run.matchedAt, []);
  });

  test('an address is the same however it is written', () => {
    const body =
      '  sequence: [{ condition: evt.type = accept4, by: fd.cip }, { condition: evt.type = http_request, by: http.client_ip }]\n  within: 9s\n';
    const client = { address: '::ffff:203.0.113.9', port: 4 };
    const accepted = makeEvent({
      type: 'accept4',
      descriptor: makeConnection({ client, isServer: true }),
      ...at(1),
    });
    const request = makeEvent({ type: 'http_request', request: makeRequest(), ...at(2) });
    assert.deepEqual(new Run(sequence(body)).add(accepted).add(request).matchedAt, [1]);
  });

  test('exceptions, macros and lists hold in every step', () => {
    const before = '- list: paths\n  items: [/a, /b]\n- macro: known\n  condition: fd.name in (paths)\n';
    const body = `  sequence:
    - evt.type = openat and known
    - evt.type = execve
  within: 9s
  by: proc.pid
  exceptions: [{ name: e, fields: fd.name, values: [/b] }]
`;
    const run = (path: string) =>
      new Run(before + sequence(body)).add(write(path, 1)).add(exec('/x', 2)).matchedAt;
    assert.deepEqual([run('/a'), run('/b'), run('/c')], [[1], [], []]);
  });

  test('matches beside the first rule that is true of the same event', () => {
    const single =
      '- rule: s\n  desc: d\n  output: o\n  priority: NOTICE\n  condition: evt.type in (openat, execve)\n';
    const run = new Run(single, sequence(STEPS).replace('rule: r', 'rule: q'));
    run.add(write('/a', 1)).add(chmod('/a', 2)).add(exec('/a', 3));
    assert.deepEqual(
      run.alerts.map(({ rule }) => rule),
      ['s', 's', 'q'],
    );
    const [rule] = run.set.rules.filter(({ name }) => name === 'q');
    const { evaluated, matched, isBroken } = run.set.countersOf(rule ?? assert.fail());
    assert.deepEqual([evaluated, matched, isBroken], [3, 1, false]);
  });

  test('its alert tells of the events before, and what joined them', () => {
    const output = '%write.fd.name by %write.proc.name, then %evt.type by %proc.name; %write.fd.name.';
    const run = new Run(sequence(STEPS, output));
    run
      .add(write('/a', 1, { process: makeProcess({ comm: 'curl\u001b' }) }))
      .add(chmod('/a', 2))
      .add(exec('/a', 3));
    const [alert] = run.alerts;
    assert.match(alert?.output ?? '', /Notice \/a by curl\\e, then execve by cat; \/a\.$/);
    assert.deepEqual(alert?.output_fields, {
      'evt.time': 1_700_000_003_000_000_000,
      'write.fd.name': '/a',
      'write.proc.name': 'curl\u001b',
      'evt.type': 'execve',
      'proc.name': 'cat',
    });
    assert.deepEqual(alert?.sequence, {
      within: '1m',
      start: '2023-11-14T22:13:21.000000000Z',
      by: { 'proc.exepath': '/a' },
      steps: [
        { name: 'write', time: '2023-11-14T22:13:21.000000000Z' },
        { name: 'chmod', time: '2023-11-14T22:13:22.000000000Z' },
        { name: null, time: '2023-11-14T22:13:23.000000000Z' },
      ],
    });
  });

  test('matches first where there is a first chain of events in time, whatever else comes', () => {
    const event = fc.record({ step: fc.nat(2), key: fc.nat(1), gap: fc.constantFrom(0, 1, 5, 20, 40) });
    const make = [write, chmod, exec];
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (given) => {
        const run = new Run(sequence(STEPS));
        const before: { step: number; key: number; second: number }[] = [];
        let second = 0;
        let first: number | null = null;
        given.forEach(({ step, key, gap }, index) => {
          second += gap;
          before.push({ step, key, second });
          run.add((make[step] ?? write)(`/${key}`, second));
          first ??= isChain(before) ? index : null;
        });
        assert.equal(run.matchedAt[0] ?? null, first);
      }),
      { numRuns: 300 },
    );
  });

  test('the same events give the same matches again', () => {
    const play = () => {
      const run = new Run(sequence(STEPS));
      for (let count = 0; count < 20_000; count++) {
        const path = `/f${(count * 7919) % 9000}`;
        const make = [write, chmod, exec][count % 3] ?? write;
        run.add(make(path, count / 300));
      }
      return [run.matchedAt, run.set.sequences.evictions()];
    };
    assert.deepEqual(play(), play());
  });
});

suite('a count', () => {
  const connect = (port: number, seconds: number, pid = 100) =>
    makeEvent({
      type: 'connect',
      process: makeProcess({ pid }),
      descriptor: makeConnection({ server: { address: '192.0.2.1', port } }),
      ...at(seconds),
    });
  const count = (text: string) => sequence(`  condition: evt.type = connect\n  count: ${text}\n`);

  test('matches with more than so many events within the time, for each key', () => {
    const run = new Run(count('{ more_than: 2, within: 10s, by: [proc.pid] }'));
    run
      .add(connect(1, 1))
      .add(connect(1, 2))
      .add(connect(1, 2, 7))
      .add(connect(1, 11));
    assert.deepEqual(run.matchedAt, [3]);
    const slow = new Run(count('{ more_than: 2, within: 10s, by: proc.pid }'));
    for (let second = 0; second < 600; second += 5.1) slow.add(connect(1, second));
    assert.deepEqual(slow.matchedAt, []);
  });

  test('is silent for the rest of the time once it matched', () => {
    const run = new Run(count('{ more_than: 2, within: 10s, by: proc.pid }'));
    for (let second = 0; second < 40; second++) run.add(connect(1, second));
    assert.deepEqual(run.matchedAt, [2, 14, 26, 38]);
  });

  test('of distinct values counts each once, while it is not too old', () => {
    const run = new Run(count('{ more_than: 2, within: 10s, by: proc.pid, distinct: fd.sport }'));
    for (let second = 0; second < 5; second++) run.add(connect(80 + (second % 2), second));
    assert.deepEqual(run.matchedAt, []);
    run.add(connect(443, 13.5)).add(connect(80, 14)).add(connect(81, 20));
    assert.deepEqual(run.matchedAt, [7]);
  });

  test('without fields counts the events of the host', () => {
    const run = new Run(count('{ more_than: 1, within: 10s }'));
    assert.deepEqual(run.add(connect(1, 1, 1)).add(connect(1, 2, 2)).matchedAt, [1]);
  });
});

suite('a step that counts', () => {
  const request = (status: number, seconds: number, address = '203.0.113.9') => {
    const client = { address, port: 1 };
    const { connection } = makeRequest();
    return makeEvent({
      type: 'http_response',
      request: makeRequest({ status, connection: { ...connection, client } }),
      ...at(seconds),
    });
  };
  const GUESSED = `  sequence:
    - condition: http.status = 401
      count: { more_than: 2 }
    - http.status = 200
  within: 60s
  by: http.client_ip
`;

  test('is done with more than so many events, and the next step follows', () => {
    const run = new Run(sequence(GUESSED));
    run
      .add(request(401, 1))
      .add(request(401, 2))
      .add(request(200, 3))
      .add(request(401, 4))
      .add(request(200, 5));
    assert.deepEqual(run.matchedAt, [4]);
    const other = new Run(sequence(GUESSED));
    for (let second = 0; second < 5; second++) other.add(request(401, second));
    other.add(request(200, 6, '198.51.100.1')).add(request(200, 7));
    assert.deepEqual(other.matchedAt, [6]);
  });

  test('goes on as long as its events do: the time is that of the newest of them', () => {
    const run = new Run(sequence(GUESSED));
    for (let second = 0; second < 600; second++) run.add(request(401, second));
    run.add(request(200, 600));
    assert.deepEqual(run.matchedAt, [600]);
    const late = new Run(sequence(GUESSED));
    for (let second = 0; second < 4; second++) late.add(request(401, second));
    assert.deepEqual(late.add(request(200, 100)).matchedAt, []);
  });

  test('may be the last one: what begins anew does not begin its count anew', () => {
    const body = `  sequence:
    - evt.type = execve
    - condition: evt.type = openat
      count: { more_than: 2, distinct: fd.name }
  within: 60s
  by: proc.pid
`;
    const run = new Run(sequence(body));
    run.add(write('/0', 0)).add(exec('/a', 1)).add(write('/1', 2)).add(write('/2', 3)).add(write('/2', 4));
    run.add(exec('/b', 5)).add(write('/3', 6)).add(write('/4', 7));
    assert.deepEqual(run.matchedAt, [6]);
  });
});

suite('memory', () => {
  const TWO = `  sequence:
    - condition: evt.type = openat
      by: fd.name
    - condition: evt.type = execve
      by: proc.exepath
  within: 60s
`;
  const attacker = { process: makeProcess({ cgroupId: 666 }) };

  test('is bounded, and a flood costs whoever makes it', () => {
    const run = new Run(sequence(TWO));
    run.add(write('/honest', 1)).add(write('/other', 1, { process: makeProcess({ cgroupId: 2 }) }));
    for (let count = 0; count < 100_000; count++) run.add(write(`/flood${count}`, 1 + count / 1e5, attacker));
    run.add(exec('/honest', 3)).add(exec('/other', 3)).add(exec('/flood99999', 3)).add(exec('/flood5', 3));
    assert.equal(run.matchedAt.length, 3);
    assert.deepEqual(run.set.sequences.evictions(), new Map([['r', 100_002 - 4096]]));
  });

  test('of many clients each has its own, and a network counts as one', () => {
    const body =
      '  sequence: [evt.type = http_request, evt.type = http_response]\n  within: 60s\n  by: [http.client_ip, http.target]\n';
    const request = (type: string, address: string, target = '/') => {
      const connection = { ...makeRequest().connection, client: { address, port: 1 } };
      return makeEvent({ type, request: makeRequest({ connection }, { target }), ...at(1) });
    };
    const run = new Run(sequence(body)).add(request('http_request', '192.0.2.1'));
    for (let count = 0; count < 20_000; count++)
      run.add(request('http_request', `2001:db8::${(count % 65_536).toString(16)}`, `/${count}`));
    run.add(request('http_response', '192.0.2.1'));
    assert.equal(run.matchedAt.length, 1);
  });

  test('what has come far is forgotten last', () => {
    const run = new Run(sequence(STEPS));
    run.add(write('/mine', 1)).add(chmod('/mine', 1));
    for (let count = 0; count < 10_000; count++) run.add(write(`/${count}`, 2));
    assert.equal(run.add(exec('/mine', 3)).matchedAt.length, 1);
  });

  test('what is too old makes room, and is not counted as forgotten', () => {
    const run = new Run(sequence(TWO));
    for (let count = 0; count < 50_000; count++) run.add(write(`/${count}`, count * 0.1));
    assert.equal(run.set.sequences.evictions().size, 0);
  });

  test('long values are kept as digests, and differ still', () => {
    const run = new Run(sequence(TWO));
    const long = '/'.padEnd(100_000, 'x');
    run
      .add(write(`${long}1`, 1))
      .add(exec(`${long}2`, 2))
      .add(exec(`${long}1`, 3));
    assert.deepEqual(run.matchedAt, [2]);
  });
});
