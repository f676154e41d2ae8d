/**
 * The two plans to see opens, connects and accepts: at the exit of system calls, and at the return of the kernel's functions. Both
 * observe the same programs at the same time, and tell the same of them; what gets past system calls is where they differ.
 * Where the kernel has no such functions, there is one plan to look at.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs';
import { arch } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { EventDecoder } from '../../src/abi/decode.ts';
import { EFFECTS, type LoadedSensors } from '../../src/kernel/loader.ts';
import { SENSORS, type Plan } from '../../src/kernel/plan.ts';
import { MergedRings } from '../../src/kernel/ring.ts';
import { eventView } from '../../src/output/event-view.ts';
import type { EventView } from '../../src/output/views.ts';
import { runToEnd, type Ended } from '../support/event-log.ts';
import { requireKernel } from '../support/kernel.ts';
import { loadHere } from '../support/sensors.ts';
import { plansHere } from '../support/plans.ts';

requireKernel();

const PYTHON = '/usr/bin/python3';
const PROGRAMS = join(import.meta.dirname, 'programs');
const isX64 = arch() === 'x64';

/** Neither names of containers nor the wall's time matter here. */
const CONTEXT = { clock: { wallMs: () => 0 }, architecture: arch(), world: { cgroupOf: () => null } };
/** Those that see files and connections, and what makes a process one that serves. The others take long to load, and see the same. */
const OBSERVING = ['file', 'network', 'payload', 'action', 'compat', 'io-uring'];

/** The sensors of one plan, and all that they tell. */
class Observer implements Disposable {
  readonly events: EventView[] = [];
  readonly #sensors: LoadedSensors;
  readonly #decoder = new EventDecoder();

  constructor(askedPlan: Plan) {
    const others = SENSORS.filter(({ name }) => !OBSERVING.includes(name));
    this.#sensors = loadHere({
      disabled: Object.fromEntries(others.map(({ name }) => [name, 'not tested here'])),
      askedPlan,
    });
  }

  planOf(name: string): Plan | undefined {
    return this.#sensors.plan.find(({ sensor }) => sensor.name === name)?.chosen?.plan;
  }

  setReadsOfEverybody(isWanted: boolean): void {
    this.#sensors.setInterest({ ...EFFECTS, readsOfEverybody: isWanted });
  }

  read(): void {
    const { security, payload } = this.#sensors;
    new MergedRings(security, payload).drain(Infinity, ({ bytes, view, offset, size }) => {
      const event = this.#decoder.decode(bytes, view, offset, size);
      if (event !== null) this.events.push(eventView(event, CONTEXT));
    });
    const { LOST_SECURITY, LOST_PAYLOAD, LOST_BUDGET, SCRATCH_BUSY } = this.#sensors.counters();
    assert.deepEqual([LOST_SECURITY, LOST_PAYLOAD, LOST_BUDGET, SCRATCH_BUSY], [0, 0, 0, 0]);
  }

  ofType<Type extends EventView['type']>(pid: number, type: Type) {
    return this.events.filter(
      (event): event is Extract<EventView, { type: Type }> => event.pid === pid && event.type === type,
    );
  }

  [Symbol.dispose](): void {
    this.#sensors[Symbol.dispose]();
  }
}

interface Ran extends Ended {
  readonly folder: string;
}

const here = plansHere();
const observers = new Map<Plan, Observer>();
let directory: string;
before(() => {
  // In memory: there files have handles.
  directory = realpathSync(mkdtempSync('/dev/shm/throughline-plans-'));
  for (const plan of here.all) observers.set(plan, new Observer(plan));
});
after(() => {
  for (const observer of observers.values()) observer[Symbol.dispose]();
  rmSync(directory, { recursive: true, force: true });
});

function observerOf(plan: Plan): Observer {
  const observer = observers.get(plan);
  assert.ok(observer, plan);
  return observer;
}

/** Runs a program in a folder of its own, and reads what all tell of it. */
async function run(program: string, name = program): Promise<Ran> {
  const folder = join(directory, name);
  mkdirSync(folder);
  const ended = await runToEnd(PYTHON, [join(PROGRAMS, program), folder]);
  for (const observer of observers.values()) observer.read();
  return { ...ended, folder };
}

/** What has to be the same: all but when it was told, numbers that are the agent's own, and where a failed one was read from. */
function comparable(event: EventView): object {
  const { time: _time, timeNs, cpu, stamp, ...rest } = event;
  assert.ok(timeNs > 0 && cpu >= 0);
  return {
    ...rest,
    stamp: stamp === null ? null : [stamp.sequence, stamp.origin],
    ...('connection' in event ? { connection: 'its own' } : {}),
    ...('descriptor' in event ? { descriptor: 'any' } : {}),
    ...('readFrom' in event ? { readFrom: 'error' in event && event.error !== null ? 'any' : 'kernel' } : {}),
  };
}

const comparables = (plan: Plan, pid: number, types: readonly EventView['type'][]) =>
  observerOf(plan)
    .events.filter((event) => event.pid === pid && types.includes(event.type))
    .map(comparable);

suite('two plans', () => {
  test('each is in force where it is asked for', (t) => {
    t.diagnostic(
      `plans of this kernel: ${here.all.join(', ')}; used where none is asked for: ${here.default}`,
    );
    for (const plan of here.all)
      for (const sensor of ['file', 'network']) assert.equal(observerOf(plan).planOf(sensor), plan);
  });

  test('files: the same is told', async () => {
    const { pid } = await run('files.py');
    const expected = comparables('system-calls', pid, ['open']);
    assert.ok(expected.length >= 15, `${expected.length} opens`);
    for (const plan of here.all) {
      assert.deepEqual(comparables(plan, pid, ['open']), expected);
      const failed = observerOf(plan)
        .ofType(pid, 'open')
        .filter(({ error }) => error !== null);
      assert.ok(failed.length > 0);
      for (const { readFrom } of failed) assert.equal(readFrom, plan === 'trampolines' ? 'kernel' : 'caller');
    }
  });

  test('connections: the same is told', async () => {
    const { pid } = await run('network.py');
    const types = ['connect', 'accept', 'close', 'payload'] as const;
    const expected = comparables('system-calls', pid, types);
    assert.ok(expected.length > 20, `${expected.length} events`);
    for (const plan of here.all) assert.deepEqual(comparables(plan, pid, types), expected);
  });
});

/** How often the kernel has left out a program of this process, since another thread was in the middle of it (Linux 5.12). */
function runsLeftOut(): number {
  const own = '/proc/self/fdinfo';
  const counts = readdirSync(own).flatMap((fd) => {
    try {
      return /^recursion_misses:\t(\d+)$/m.exec(readFileSync(join(own, fd), 'utf8'))?.[1] ?? [];
    } catch {
      return []; // the descriptor of the folder itself
    }
  });
  return counts.reduce((sum, count) => sum + Number(count), 0);
}

test('threads that interrupt each other: by system calls all is told; what else is not, the kernel counts', async (t) => {
  const before = runsLeftOut();
  const { stdout } = await run('opens-in-turn.py');
  const { file, opens } = JSON.parse(stdout) as { file: string; opens: number };
  const leftOut = runsLeftOut() - before;
  for (const plan of here.all) {
    const told = observerOf(plan).events.filter((event) => event.type === 'open' && event.path === file);
    t.diagnostic(`${plan}: ${told.length} of ${opens} opens are told`);
    if (plan === 'system-calls') assert.equal(told.length, opens);
    assert.ok(told.length <= opens && opens - told.length <= leftOut, `${leftOut} runs were left out`);
  }
});

suite('past system calls', () => {
  interface Facts {
    readonly listener: number;
    readonly refusing: number;
    readonly client: number;
    readonly has32?: boolean;
    readonly client32?: number;
    readonly clientCall?: number;
  }
  let ran: Ran;
  let facts: Facts;
  before(async () => {
    ran = await run('past-system-calls.py');
    facts = JSON.parse(ran.stdout) as Facts;
  });
  const rows32 = <Row>(...rows: readonly Row[]): readonly Row[] => (facts.has32 === true ? rows : []);

  /** Paths, what they turned out to be, flags, error, and whether an io_uring did it. */
  function opens(plan: Plan) {
    const { pid, folder } = ran;
    return observerOf(plan)
      .ofType(pid, 'open')
      .filter(({ resolvedPath }) => resolvedPath.startsWith(folder))
      .map(({ path, resolvedPath, flags, error, ring }) => [
        path,
        resolvedPath.slice(folder.length),
        flags.filter((flag) => flag !== 'O_CLOEXEC').join(' '),
        error,
        ring,
      ]);
  }

  const write = 'O_WRONLY O_CREAT';
  const ofRing = ['by-ring', 'by-worker', 'missing/by-ring', 'missing/by-worker'].map(
    (path) => [path, `/${path}`, write, path.startsWith('missing') ? 'ENOENT' : null, true] as const,
  );
  const inChain = ['readable', '/readable', 'O_WRONLY', null] as const;
  const byCall = (name: string) => [name, `/${name}`, `${write} O_TRUNC`, null, false] as const;

  test('opens', (t) => {
    if (isX64 && facts.has32 !== true) t.diagnostic('this kernel has no 32-bit calls');
    const compat = rows32(
      ['by-32bit', '/by-32bit', write, null, false],
      ['missing/32bit', '/missing/32bit', write, 'ENOENT', false],
    );
    const asked = [...ofRing, inChain].flatMap(([path, , flags, error]) => [
      [path, `/${path}`, flags, 'EINPROGRESS', true],
      [path, `/${path}`, flags, error, true],
    ]);
    assert.deepEqual(opens('system-calls'), [byCall('readable'), ...asked, ...compat, byCall('by-handle')]);
    if (!here.all.includes('trampolines')) return;
    assert.deepEqual(
      opens('trampolines'),
      [
        byCall('readable'),
        ...ofRing,
        [...inChain, true],
        ...compat,
        byCall('by-handle'),
        // Which file it was that a handle stands for.
        ['', '/by-handle', 'O_WRONLY O_APPEND', null, false],
      ],
      'each once, with its result',
    );
    const [byHandle] = observerOf('trampolines')
      .ofType(ran.pid, 'open')
      .filter(({ flags }) => flags.includes('O_APPEND'));
    assert.equal(byHandle?.inode, statSync(join(ran.folder, 'by-handle')).ino);
  });

  test('connects', () => {
    const connects = (plan: Plan) =>
      observerOf(plan)
        .ofType(ran.pid, 'connect')
        .map(({ address, port, error, ring }) => [`${address}:${port}`, error, ring]);
    const listener = `127.0.0.1:${facts.listener}`;
    const refusing = `127.0.0.1:${facts.refusing}`;
    const compat = rows32([listener, null, false]);
    assert.deepEqual(connects('system-calls'), [
      [listener, 'EINPROGRESS', true],
      [listener, null, true],
      [refusing, 'EINPROGRESS', true],
      [refusing, 'ECONNREFUSED', true],
      // By connect; that by socketcall is not seen.
      ...compat,
    ]);
    if (!here.all.includes('trampolines')) return;
    const told = connects('trampolines');
    // Some kernels ask a socket that takes its time once more, others look at what became of it.
    assert.deepEqual(
      told.filter(([, error, ring]) => ring === true && error === 'EINPROGRESS'),
      [
        [listener, 'EINPROGRESS', true],
        [refusing, 'EINPROGRESS', true],
      ],
    );
    assert.deepEqual(
      told.filter(([, , ring]) => ring === false),
      [...compat, ...compat],
      'by connect and by socketcall',
    );
    for (const [to, error, ring] of told)
      if (ring === true && error !== 'EINPROGRESS')
        assert.equal(error, to === listener ? null : 'ECONNREFUSED');
  });

  test('accepts', () => {
    const accepts = (plan: Plan) =>
      observerOf(plan)
        .ofType(ran.pid, 'accept')
        .map(({ client, server, role }) => [client.port, server.port, role]);
    assert.deepEqual(accepts('system-calls'), []);
    if (!here.all.includes('trampolines')) return;
    assert.deepEqual(
      accepts('trampolines'),
      [facts.client, ...rows32(facts.client32, facts.clientCall)].map((port) => [
        port,
        facts.listener,
        'server',
      ]),
    );
  });

  test('what a ring only reads is told where reads of everybody are asked for', async () => {
    for (const observer of observers.values()) observer.setReadsOfEverybody(true);
    const again = await run('past-system-calls.py', 'reads');
    for (const observer of observers.values()) observer.setReadsOfEverybody(false);
    for (const plan of here.all) {
      const reads = observerOf(plan)
        .ofType(again.pid, 'open')
        .filter(({ path, flags, ring }) => path === 'readable' && ring && !flags.includes('O_WRONLY'));
      // By system calls as it is submitted, and with its result.
      assert.equal(reads.length, plan === 'trampolines' ? 1 : 2, plan);
    }
  });
});
