import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { unifiedMounts } from '../../src/capture/facts/cgroup-mounts.ts';
import type { RunSummary } from '../../src/cli/contract.ts';
import type { ExecEventView, FindingView } from '../../src/output/views.ts';
import { runToEnd } from '../support/event-log.ts';
import { requireKernel } from '../support/kernel.ts';
import { SLOWNESS } from '../support/slowness.ts';
import { startThroughline, type Throughline } from '../support/throughline.ts';

requireKernel();

/** As container engines name the cgroup of a container. */
const CONTAINER = 'f100d'.repeat(12) + 'f100';
const PROGRAMS = 200;
const FLOOD_SECONDS = 4;
const PROCESSES = 2;
/** An event that the ring had room for is told so soon, whatever else happens. */
const MAX_DELAY_MS = 2000 * SLOWNESS;
/** WINDOW_EVENTS and WINDOW_SHIFT of bpf/lib/budget.h. */
const WINDOW_EVENTS = 6144;
const WINDOW_SECONDS = 2 ** 27 / 1e9;

/**
 * So many opens of one cgroup are told at least while nobody reads: with 200 bytes or so each they fill 85 % of the half of the ring
 * that opens may have.
 */
const STALLED_OPENS = 7000;

/** How files are opened: see programs/open-flood.c. */
type Way = 'existing' | 'missing' | 'ring';

let directory: string;
let flooding: string;
let quiet: string;
let groups: string;
let flood: string;
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'throughline-flood-'));
  const [mount] = unifiedMounts('/proc');
  assert.ok(mount, 'cgroup2 is mounted nowhere: mount -t cgroup2 none /sys/fs/cgroup/unified');
  groups = join(mount, `throughline-flood-${process.pid}`);
  flooding = join(groups, `docker-${CONTAINER}.scope`);
  quiet = join(groups, 'quiet');
  for (const path of [groups, flooding, quiet]) mkdirSync(path);
  flood = join(directory, 'open-flood');
  const source = join(import.meta.dirname, 'programs/open-flood.c');
  const { status, stderr } = spawnSync('clang', ['-O2', source, '-o', flood], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
});
after(async () => {
  for (const path of [flooding, quiet, groups]) await removeGroup(path);
  rmSync(directory, { recursive: true, force: true });
});

/** What has just ended may still be in it for a moment. */
async function removeGroup(path: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      rmdirSync(path);
      return;
    } catch (error) {
      if (attempt === 20) throw error;
      await sleep(50);
    }
  }
}

/** Runs a shell script in a cgroup, to its end. */
function inGroup(group: string, script: string) {
  return runToEnd('/bin/sh', ['-ec', `echo $$ > ${group}/cgroup.procs; ${script}`]);
}

interface Flood {
  readonly opens: number;
  /** Nanoseconds of processor time for each. */
  readonly costNs: number;
}

async function floods(seconds: number, way: Way = 'existing'): Promise<Flood> {
  const command = `exec ${flood} ${seconds} ${PROCESSES} ${way} ${directory}`;
  const [opens = NaN, costNs = NaN] = (await inGroup(flooding, command)).stdout.split(' ').map(Number);
  return { opens, costNs };
}

function floodText({ opens, costNs }: Flood, seconds: number): string {
  return `${Math.round(opens / seconds).toLocaleString('en-US')} opens a second, ${costNs} ns each`;
}

/** Starts programs in the quiet cgroup, one after the other. */
const startsPrograms = (label: string) =>
  inGroup(quiet, `for i in $(seq ${PROGRAMS}); do /bin/true ${label}-$i "second argument" third; done`);

/** Names of those programs whose start was told, with all arguments. */
function toldOf(agent: Throughline, label: string): Set<string> {
  const execs = agent.messages as unknown as ExecEventView[];
  const told = execs.filter(
    ({ kind, type, argv }) => kind === 'event' && type === 'exec' && argv[1]?.startsWith(label),
  );
  for (const { argv } of told) assert.deepEqual(argv, ['/bin/true', argv[1], 'second argument', 'third']);
  return new Set(told.map(({ argv }) => argv[1] ?? ''));
}

/** Waits until all are told. @returns how long it took to tell the slowest, from its start, in milliseconds */
async function untilAllTold(agent: Throughline, label: string, isOver: () => boolean): Promise<number> {
  let seen = agent.messages.length;
  let slowestMs = 0;
  for (let endMs = Infinity; ; await sleep(10)) {
    const nowMs = Date.now();
    for (const { kind, time } of agent.messages.slice(seen))
      if (kind === 'event') slowestMs = Math.max(slowestMs, nowMs - Date.parse(String(time)));
    seen = agent.messages.length;
    if (toldOf(agent, label).size === PROGRAMS) return slowestMs;
    if (endMs === Infinity && isOver()) endMs = nowMs + MAX_DELAY_MS;
    assert.ok(nowMs < endMs, `${toldOf(agent, label).size} of ${PROGRAMS} programs were told`);
  }
}

function summaryOf(stderr: string): RunSummary {
  const line = stderr.split('\n').find((one) => one.startsWith('{"kind":"summary"'));
  assert.ok(line, stderr);
  return JSON.parse(line) as RunSummary;
}

suite('a flood of opens from one cgroup', () => {
  for (const way of ['existing', 'missing', 'ring'] as const)
    test(`costs another cgroup none of its programs, and every open is told or counted: ${way}`, async (t) => {
      const alone = await floods(FLOOD_SECONDS / 4, way);
      const agent = await startThroughline(['events', '--type', 'exec', '--json']);
      try {
        const flooded = floods(FLOOD_SECONDS, way);
        await sleep(500);
        let isOver = false;
        const started = startsPrograms('live').then(() => (isOver = true));
        const delayMs = await untilAllTold(agent, 'live', () => isOver);
        await started;
        const watched = await flooded;
        t.diagnostic(`without the agent ${floodText(alone, FLOOD_SECONDS / 4)}`);
        t.diagnostic(
          `with it ${floodText(watched, FLOOD_SECONDS)}; a program was told after ${delayMs} ms at most`,
        );
        assert.ok(delayMs < MAX_DELAY_MS, `${delayMs} ms`);
        // Most of the time it has one processor of two, beside the programs that are started; and the machine may be busy.
        assert.ok(
          watched.opens / FLOOD_SECONDS > alone.opens / (FLOOD_SECONDS / 4) / 4,
          'the flood is held up',
        );
        const { stderr } = await agent.stop(20_000 * SLOWNESS);
        const { losses, counters } = summaryOf(stderr);
        assert.equal(losses['security-ring-full'], undefined);
        assert.equal(losses['malformed-event'], undefined);
        const kernel = counters['kernel side'] ?? {};
        const events = kernel['events'] ?? 0;
        const lost = kernel['lost budget'] ?? 0;
        t.diagnostic(
          `${lost.toLocaleString('en-US')} of ${watched.opens.toLocaleString('en-US')} were left out`,
        );
        assert.ok(events + lost >= watched.opens, JSON.stringify({ kernel, opens: watched.opens }));
        assert.equal(losses['cgroup-budget'] ?? 0, lost, 'told as a loss, all of it');
        // Beside the flood: what starting programs makes, some ten events each.
        const windows = FLOOD_SECONDS / WINDOW_SECONDS + 2;
        assert.ok(events < windows * WINDOW_EVENTS + PROGRAMS * 50, `${events} events were told`);
      } finally {
        await agent.kill();
      }
    });

  test('nor does it where nobody reads for a while; opens of the other cgroup are told as well', async (t) => {
    const agent = await startThroughline(['events', '--json', '--type', 'exec,open']);
    try {
      process.kill(agent.pid, 'SIGSTOP');
      let written: Promise<unknown>;
      try {
        const flooded = floods(1.5);
        await sleep(700);
        await startsPrograms('stalled');
        written = inGroup(quiet, `for i in $(seq 100); do : > ${directory}/written-$i; done; /bin/true over`);
        await Promise.all([flooded, written]);
      } finally {
        process.kill(agent.pid, 'SIGCONT');
      }
      await agent.waitFor(
        ({ type, argv }) => type === 'exec' && (argv as string[])[1] === 'over',
        20_000 * SLOWNESS,
      );
      assert.equal(toldOf(agent, 'stalled').size, PROGRAMS);
      const opened = new Set(
        agent.messages
          .filter(({ type, path }) => type === 'open' && String(path).includes('/written-'))
          .map(({ path }) => path),
      );
      assert.equal(opened.size, 100);
      const told = agent.messages.filter(({ type }) => type === 'open').length;
      t.diagnostic(`${told} opens were told`);
      assert.ok(told > STALLED_OPENS, `${told} opens`);
      const { stderr } = await agent.stop(20_000 * SLOWNESS);
      const { losses } = summaryOf(stderr);
      assert.equal(losses['security-ring-full'], undefined);
      assert.ok((losses['cgroup-budget'] ?? 0) > 1000, JSON.stringify(losses));
    } finally {
      await agent.kill();
    }
  });

  test('is a finding that names the container, at most one a second', async () => {
    const agent = await startThroughline(['run', '--json']);
    try {
      process.kill(agent.pid, 'SIGSTOP');
      try {
        await floods(1);
      } finally {
        process.kill(agent.pid, 'SIGCONT');
      }
      const isBlind = (one: { readonly kind: string; readonly class?: unknown }): boolean =>
        one.kind === 'finding' && one.class === 'blind';
      const finding = (await agent.waitFor(isBlind, 10_000 * SLOWNESS)) as unknown as FindingView;
      assert.match(
        finding.title,
        new RegExp(
          `^Blind for [\\d,]+ ms: [\\d,]+ file events lost \\(container ${CONTAINER} had used up its budget\\)$`,
        ),
      );
      assert.deepEqual([finding.request, finding.effect, finding.story], [null, null, []]);
      assert.equal(finding.evidence[0]?.source, `container ${CONTAINER}`);
      await sleep(1500);
      await agent.stop();
      const times = agent.messages.filter(isBlind).map(({ time }) => Date.parse(String(time)));
      assert.ok(times.length <= 4, times.join());
    } finally {
      await agent.kill();
    }
  });
});

test('a crowd of cgroups can fill the ring; that is a finding, too', async () => {
  const agent = await startThroughline(['run', '--json']);
  try {
    process.kill(agent.pid, 'SIGSTOP');
    try {
      // Each stays below its share.
      const argument = 'x'.repeat(30_000);
      for (let index = 0; index < 50; index++) {
        const group = join(groups, `crowd-${index}`);
        mkdirSync(group);
        await inGroup(group, `for i in 1 2 3 4; do /bin/true ${argument}; done`);
        await removeGroup(group);
      }
    } finally {
      process.kill(agent.pid, 'SIGCONT');
    }
    const finding = (await agent.waitFor(
      (one) => one.kind === 'finding' && one['class'] === 'blind',
      10_000 * SLOWNESS,
    )) as unknown as FindingView;
    // By then opens of everybody else are held back as well.
    const ofHost = finding.evidence.find(({ note }) => note.includes('no room in the security ring'));
    assert.equal(ofHost?.source, 'host', finding.title);
    assert.equal(finding.severity, 'high');
    const { stderr } = await agent.stop();
    assert.ok((summaryOf(stderr).losses['security-ring-full'] ?? 0) >= Number(ofHost.value));
  } finally {
    await agent.kill();
  }
});
