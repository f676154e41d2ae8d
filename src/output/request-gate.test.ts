import { strict as assert } from 'node:assert';
import { suite, test } from 'node:test';
import type { Effect } from '../model/effect.ts';
import type { Request } from '../model/request.ts';
import { requestCondition, type RequestFilter } from './request-filter.ts';
import { RequestGate } from './request-gate.ts';
import {
  exactly,
  sampleContainer,
  SampleProgram,
  sampleProcess,
  sampleRequest,
  sampleStory,
} from './sample-story.ts';

const ANY: RequestFilter = {
  path: null,
  methods: null,
  statuses: null,
  pid: null,
  container: null,
  has: null,
  minDurationMs: null,
  grades: null,
};

suite('a filter', () => {
  const master = sampleProcess({ pid: 4000, parentPid: 1 });
  const worker = sampleProcess({ pid: 4211, parentPid: 4000, parent: master, containerId: 'c0ffee11' });
  const base = sampleRequest({ process: worker });
  const request: Request = { ...base, effects: sampleStory(base) };
  const holds = (filter: Partial<RequestFilter>, changes: Partial<Request> = {}) => {
    const subject = { ...request, ...changes };
    return requestCondition({ ...ANY, ...filter })({ request: subject, effects: subject.effects });
  };

  test('without conditions takes all', () => assert.ok(holds({})));

  test('each condition', () => {
    assert.ok(holds({ path: '/pi' }) && !holds({ path: '/x' }));
    assert.ok(holds({ methods: ['POST', 'GET'] }) && !holds({ methods: ['POST'] }));
    assert.ok(holds({ statuses: [{ from: 200, to: 299 }] }) && !holds({ statuses: ['none'] }));
    assert.ok(holds({ statuses: [{ from: 404, to: 404 }, 'none'] }, { status: null }));
    for (const pid of [4211, 4000]) assert.ok(holds({ pid }));
    assert.ok(!holds({ pid: 42 }) && !holds({ pid: 5120 }), 'its children serve nothing');
    assert.ok(holds({ container: 'c0ff' }) && !holds({ container: '0ff' }));
    assert.ok(!holds({ container: 'c' }, { process: master }));
    assert.ok(!holds({ container: 'shop' }), 'nobody has told its name');
    const named = sampleProcess({ containerId: 'c0ffee11', container: { ...sampleContainer, name: 'shop' } });
    assert.ok(
      holds({ container: 'shop' }, { process: named }) && holds({ container: 'c0f' }, { process: named }),
    );
    assert.ok(!holds({ container: 'sho' }, { process: named }), 'of a name, all of it');
    assert.ok(holds({ has: ['exec', 'connect', 'open'] }) && !holds({ has: ['exec', 'write'] }));
    assert.ok(holds({ minDurationMs: 42 }) && !holds({ minDurationMs: 43 }));
    assert.ok(!holds({ minDurationMs: 0 }, { endedNs: null }));
    assert.ok(holds({ grades: ['exact'] }) && !holds({ grades: ['linked', 'matched'] }));
  });

  test('all conditions must hold', () => {
    assert.ok(holds({ path: '/ping', pid: 4000, has: ['exec'] }));
    assert.ok(!holds({ path: '/ping', pid: 4000, has: ['query'] }));
  });
});

suite('the gate', () => {
  const start = (filter: Partial<RequestFilter>) => {
    const passed: unknown[] = [];
    const gate = new RequestGate(
      { ...ANY, ...filter },
      {
        request: (request) => passed.push(request),
        lateEffect: (_request, effect) => passed.push(effect),
        orphan: (effect) => passed.push(effect),
      },
    );
    return { gate, passed };
  };
  const unplaced = (effect: Effect, ...candidates: Request[]): Effect => ({
    ...effect,
    attribution: { grade: 'ambiguous', reason: 'several', request: null, candidates },
  });
  const request = sampleRequest();
  const program = new SampleProgram(request.process, exactly(request));

  test('effects that come late follow their request, and may be why it is wanted', () => {
    const other = sampleRequest({}, '/other');
    const { gate, passed } = start({ path: '/ping' });
    gate.request(request);
    gate.request(other);
    const late = program.open('/late');
    gate.lateEffect(request, late);
    gate.lateEffect(other, late);
    assert.deepEqual(passed, [request, late]);

    const writing = start({ has: ['write'] });
    const effects: Effect[] = [];
    const slow = sampleRequest({ effects });
    writing.gate.request(slow);
    assert.deepEqual(writing.passed, []);
    effects.push(program.open('/log', { isWrite: true }));
    writing.gate.lateEffect(slow, effects[0]!);
    assert.deepEqual(writing.passed, [slow]);
  });

  test('an unplaced effect waits for a candidate that is wanted, and passes once', () => {
    const { gate, passed } = start({ statuses: [{ from: 500, to: 599 }] });
    const [good, bad, worse] = [200, 500, 503].map((status) => sampleRequest({ status }));
    assert.ok(good && bad && worse);
    const effect = unplaced(program.open('/x'), good, bad, worse);
    gate.orphan(effect);
    gate.request(good);
    assert.deepEqual(passed, []);
    gate.request(bad);
    gate.request(worse);
    assert.deepEqual(passed, [bad, effect, worse]);
    const second = unplaced(program.open('/y'), bad);
    gate.orphan(second);
    assert.equal(passed.at(-1), second);
  });

  test('an unplaced effect counts as its candidates own', () => {
    const { gate, passed } = start({ has: ['connect'], path: '/ping' });
    const effect = unplaced(program.connect('10.0.0.1', 80), request);
    gate.orphan(effect);
    gate.request(request);
    gate.orphan(unplaced(program.open('/x'), request));
    assert.deepEqual(passed, [effect]);
  });

  test('one without candidates is judged by itself', () => {
    const effect = unplaced(program.open('/x', { isWrite: true }));
    for (const filter of [{ has: ['write'] }, { pid: 4211 }, { grades: ['ambiguous'] }] as const) {
      const { gate, passed } = start(filter);
      gate.orphan(effect);
      assert.deepEqual(passed, [effect]);
    }
    for (const filter of [{ has: ['exec'] }, { path: '/' }, { pid: 7 }, { container: 'a' }] as const) {
      const { gate, passed } = start(filter);
      gate.orphan(effect);
      assert.deepEqual(passed, []);
    }
  });
});
