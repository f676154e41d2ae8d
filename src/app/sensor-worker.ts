import { arch, release } from 'node:os';
import { join } from 'node:path';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { ABI_HASH } from '../abi/abi.gen.ts';
import { ThroughlineError } from '../base/errors.ts';
import { LiveCapture, STEP_EVENTS } from '../capture/live.ts';
import { RecordingCapture } from '../capture/recording.ts';
import { Recorder } from '../capture/recorder.ts';
import { SCHEMA } from '../capture/recording-format.ts';
import type { CaptureSink } from '../capture/contract.ts';
import { native } from '../kernel/libbpf.ts';
import { EFFECTS, loadSensors, type KernelInterest, type LoadedSensors } from '../kernel/loader.ts';
import { featuresLeftOut, WITHOUT_VARIABLE } from '../kernel/features.ts';
import { PLAN_VARIABLE, planAskedFor } from '../kernel/plan.ts';
import { possibleProcessors } from '../kernel/processors.ts';
import { hierarchyName } from '../model/cgroup-hierarchy.ts';
import { eventInterest, kernelInterest } from './alerts/kernel-interest.ts';
import type * as RuleModules from './alerts/rule-side.ts';
import type { HashSource, RuleWatch } from './alerts/rule-watch.ts';
import { chooseHierarchy } from './cgroup-choice.ts';
import { ContainerNames } from './container-names.ts';
import { EventHold } from './event-hold.ts';
import { ExecutableHashes } from './executable-hashes.ts';
import { collectGarbage } from './collect-garbage.ts';
import { GuardedSink } from './guarded-sink.ts';
import { MessageBatch } from './message-batch.ts';
import { Pipeline } from './pipeline.ts';
import { RunState } from './run-state.ts';
import { SelfReport } from './self-report.ts';
import { createDetectors, PROTOCOLS } from './registry.ts';
import { countersOf, undecodedLosses } from './run-counters.ts';
import { viewOutput } from './view-output.ts';
import type { ProbeHits, RuleText, RunSummary } from '../cli/contract.ts';
import type { WorkerInput, WorkerPost, WorkerRules } from './worker-contract.ts';

/**
 * How long the worker sleeps at most. Under load briefly: a long drain would take a processor from the servers for several
 * milliseconds, which shows in their slowest replies; but each waking up costs what some fifty plain exchanges do, so it
 * is twice as long while drains are short. When little happens, longer; when nothing does, a tenth of a second.
 */
const LOAD_POLL_MS = 4;
const SHORT_DRAIN_MS = 0.5;
const LOAD_EVENTS = 64;
const BUSY_POLL_MS = 20;
const HELD_BACK_POLL_MS = 1;
const QUIET_POLL_MS = 100;
const QUIET_AFTER_STEPS = 25;
const REPLAY_FRAMES = 20_000;
const PROGRESS_MS = 1000;
/** So long the events that wait at the end are handled. */
const STOP_MS = 2000;

const input = workerData as WorkerInput;

function post(message: WorkerPost): void {
  parentPort?.postMessage(message);
}

type RuleSide = typeof RuleModules;
const ruleSide: RuleSide | null =
  input.rules === null && input.options.eventFilter === undefined
    ? null
    : await import('./alerts/rule-side.ts');

function isStopped(): boolean {
  return Atomics.load(input.stop, 0) !== 0;
}

/** By then the beginning is over: what it took (types of the kernel, symbols of every library) is given back. */
const SETTLED_MS = 2000;

/** The sensor worker: source, brain and recorder in one thread, which blocks in epoll_wait(2) and never waits for messages. */
function run(): RunSummary {
  const startedAt = performance.now();
  const { source, recordTo, wants } = input.options;
  const batch = new MessageBatch((messages) => post({ type: 'messages', messages }));
  const warn = (text: string): void => post({ type: 'warning', text });
  // Before anything is written: who may not observe must not destroy an older recording either.
  const watch =
    input.rules === null || ruleSide === null
      ? null
      : createWatch(ruleSide, input.rules, batch, warn, () => pipeline);
  if (watch !== null && watch.problems.length > 0) throw new RefusedRules(watch.problems);
  const asked = variablesAsked();
  const withoutVariables = (): KernelInterest =>
    wants.events
      ? eventInterest(input.options.eventTypes ?? null)
      : watch === null
        ? EFFECTS
        : kernelInterest(watch.interest);
  const rulesInForce = (): KernelInterest => {
    const interest = withoutVariables();
    return { ...interest, environment: new Set([...asked, ...interest.environment]) };
  };
  using sensors = source.kind === 'live' ? load(rulesInForce()) : null;
  using state = sensors === null ? null : RunState.begin();
  for (const { pid, startedAt } of state?.dead ?? [])
    warn(
      `the agent with process id ${pid}${startedAt === '' ? '' : `, started ${startedAt},`} ended without a word: it was killed`,
    );
  const hashes = input.hashes === null ? null : new ExecutableHashes(input.hashes);
  const hashesPrograms = input.options.hashesPrograms === true;
  const views = viewOutput(
    () => ({
      clock: pipeline.clock,
      architecture: pipeline.architecture,
      world: pipeline.world,
      showsVariables: input.options.environment?.showsValues === true,
    }),
    (message) => batch.add(message),
    (connection, isPlaintext) => sensors?.ignoreConnection(connection, isPlaintext),
    (error) => guarded.failed(error),
    {
      filter: input.options.filter ?? null,
      ...(hashes === null ? {} : { askHash: (question) => hashes.ask(question) }),
      hold: hashesPrograms && wants.events ? new EventHold((view) => batch.add(view)) : null,
    },
  );
  const shown =
    input.options.eventFilter === undefined || ruleSide === null
      ? views
      : ruleSide.gatedEvents(views, input.options.eventFilter, () => pipeline);
  const pipeline: Pipeline = new Pipeline({
    protocols: PROTOCOLS,
    detectors: createDetectors(),
    wants,
    hashesPrograms,
    output: watch === null ? shown : watch.watched(shown),
  });
  if (watch !== null && watch.readingRules.length > 0) pipeline.readAll();
  const guarded: GuardedSink = new GuardedSink(pipeline, warn);
  using recorder = recordTo === null ? null : createRecorder(recordTo, guarded, warn);
  const sink = recorder ?? guarded;
  const progress = progressTeller(batch, pipeline, recorder);
  const started = (kernel: string, attached: readonly string[]): void => {
    const startupMs = performance.now() - startedAt;
    batch.add({ kind: 'started', source: source.kind, version: input.version, kernel, attached, startupMs });
    if (watch !== null) tellRules(watch, input.rules?.files ?? [], batch);
    batch.flush();
  };
  let probeHits: readonly ProbeHits[] = [];
  let leftAtStop = 0;
  if (source.kind === 'recording') {
    using recording = new RecordingCapture(source.file);
    started(recording.header.kernel, [`recording of ${recording.header.createdAt}`]);
    replay(recording, sink, batch, progress, warn);
  } else if (sensors !== null) {
    const names = input.containers === null ? null : new ContainerNames(input.containers);
    const sources = [names, hashes].filter((source) => source !== null);
    using live = new LiveCapture(native(), sensors, sink, sources);
    live.begin(rulesInForce().environment);
    for (const dead of state?.dead ?? [])
      sink.fact({ kind: 'killed', timeNs: native().bootTimeNs(), ...dead });
    started(release(), attachedLines(sensors, live.libraries));
    const self = new SelfReport(sensors, pipeline, input.version);
    leftAtStop = observe(live, batch, () => {
      progress();
      const report = self.next();
      if (report !== null && state?.update(report) === true)
        sink.fact({
          kind: 'tampered',
          timeNs: native().bootTimeNs(),
          what: ['the file that says that it runs'],
        });
      if (watch === null || input.rules === null || !takeChanges(watch, input.rules, batch)) return false;
      if (watch.readingRules.length > 0) pipeline.readAll();
      const interest = rulesInForce();
      live.askEnvironment(interest.environment);
      sensors.setInterest(interest);
      return true;
    });
    probeHits = live.probeUse;
  }
  guarded.attempt(() => pipeline.end());
  batch.flush();
  if (guarded.errorCount > 0) pipeline.losses['internal-error'] = guarded.errorCount;
  if (leftAtStop > 0) pipeline.losses['left-at-stop'] = leftAtStop;
  const { exact, linked, matched, ambiguous, disagreements, contentSkipped, requests } =
    pipeline.attributor.counters;
  return {
    events: pipeline.eventCount,
    requests,
    effects: { exact, linked, matched, ambiguous, disagreements, contentSkipped },
    findings: pipeline.desk.counters.findings,
    durationMs: performance.now() - startedAt,
    losses: { ...pipeline.losses, ...undecodedLosses(pipeline) },
    counters: {
      ...countersOf(pipeline, sensors?.counters() ?? null),
      ...(watch === null
        ? {}
        : {
            rules: { 'run without the hash of the program': watch.withoutHash },
            'forgotten before their time, by rule': watch.forgotten,
          }),
    },
    recordedBytes: recorder?.writtenBytes ?? 0,
    probeHits,
    containers: null,
    hashes: null,
    alerts: watch === null ? null : { ...watch.counts(), outputs: [] },
  };
}

/** Thrown before anything is attached. */
class RefusedRules extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super('the rules have errors');
    this.problems = problems;
  }
}

/** Variables of the environment that options ask for, and a condition for events. */
function variablesAsked(): ReadonlySet<string> {
  const { environment, eventFilter } = input.options;
  const ofFilter = eventFilter === undefined ? [] : (ruleSide?.variablesOfFilter(eventFilter) ?? []);
  return new Set([...(environment?.names ?? []), ...ofFilter]);
}

function createWatch(
  { RuleWatch: Watch, ruleEventSource }: RuleSide,
  { files, matching, selections }: WorkerRules,
  batch: MessageBatch,
  warn: (text: string) => void,
  pipeline: () => Pipeline,
): RuleWatch {
  const source = ruleEventSource(pipeline);
  const { alertLimit } = input.options;
  const hashes: HashSource = {
    fileOf: (process) => pipeline().world.fileOf(process),
    ask: (file, process) => pipeline().hashes.ask(file, process),
    isPending: (file) => pipeline().hashes.isPending(file),
  };
  const watch = new Watch({
    matching,
    selections,
    ...(alertLimit === undefined ? {} : { alertLimit }),
    now: () => performance.now(),
    source,
    alert: (alert) => batch.add(alert),
    warn,
    hashes,
  });
  watch.replace(files);
  // What reading them took is ten times what is left of it: what comes now must not settle between.
  collectGarbage();
  return watch;
}

/** Between two readings of the rings: every event is seen by the rules before or by those after. */
function takeChanges(watch: RuleWatch, { changes }: WorkerRules, batch: MessageBatch): boolean {
  let latest: readonly RuleText[] | null = null;
  for (let next = receiveMessageOnPort(changes); next !== undefined; next = receiveMessageOnPort(changes))
    latest = next.message as readonly RuleText[];
  if (latest === null) return false;
  if (!watch.replace(latest)) {
    batch.add({ kind: 'rule-problems', problems: watch.problems, isAtStart: false });
    return false;
  }
  tellRules(watch, latest, batch);
  return true;
}

function tellRules(watch: RuleWatch, files: readonly RuleText[], batch: MessageBatch): void {
  const { ruleCount, readingRules, hashingRules } = watch;
  batch.add({
    kind: 'rules',
    rules: ruleCount,
    files: files.length,
    reading: readingRules,
    hashing: hashingRules,
  });
}

function load(interest: KernelInterest): LoadedSensors {
  return loadSensors(native(), {
    objectPath: join(input.root, 'build/throughline.bpf.o'),
    kernelRelease: release(),
    architecture: arch(),
    processors: possibleProcessors(),
    agentPid: process.pid,
    disabled: input.options.disabled ?? {},
    askedPlan: planAskedFor(process.env[PLAN_VARIABLE]),
    cgroups: chooseHierarchy(),
    without: featuresLeftOut(process.env[WITHOUT_VARIABLE]),
    interest,
  });
}

function createRecorder(path: string, next: CaptureSink, warn: (text: string) => void): Recorder {
  const header = {
    schema: SCHEMA,
    abi: ABI_HASH,
    version: input.version,
    kernel: release(),
    architecture: arch(),
    createdAt: new Date().toISOString(),
  };
  return new Recorder(path, header, next, (error) =>
    warn(`${error.code} ${error.message}; observing goes on`),
  );
}

function attachedLines(sensors: LoadedSensors, libraries: readonly string[]): string[] {
  const asked = sensors.plan.filter(({ sensor, chosen }) => chosen !== null || sensor.isOnDemand !== true);
  const lines = asked.map(({ sensor, chosen, reason }) =>
    chosen === null
      ? `${sensor.name}: NOT attached: ${reason}`
      : `${sensor.name}: ${sensor.sees} (${chosen.name})`,
  );
  const { cgroups } = sensors;
  if (cgroups.controller !== null)
    lines.push(`containers: by cgroups of ${hierarchyName(cgroups)}: ${cgroups.reason}`);
  return [...lines, ...libraries.map((library) => `probed: ${library}`)];
}

/**
 * @param progress what is to be done now and then; whether that was much, and left garbage behind
 * @returns how many events were there when it was stopped, and could not be handled any more
 */
function observe(live: LiveCapture, batch: MessageBatch, progress: () => boolean): number {
  let quietSteps = 0;
  let count = 0;
  let settledAt = performance.now() + SETTLED_MS;
  while (!isStopped()) {
    count = live.step(live.isHeldBack ? HELD_BACK_POLL_MS : pollTimeMs(count, quietSteps, live.busyMs));
    quietSteps = count > 0 ? 0 : quietSteps + 1;
    if (progress()) settledAt = performance.now() + SETTLED_MS;
    batch.flush();
    if (count < STEP_EVENTS && performance.now() > settledAt) {
      settledAt = Infinity;
      collectGarbage();
      native().trimHeap();
    }
  }
  // What happened until the stop is told as well; whoever floods the host does not keep us from ending.
  const deadline = performance.now() + STOP_MS;
  const isBehindAfterStep = (): boolean => live.step(0) >= STEP_EVENTS || live.isHeldBack;
  let isBehind = isBehindAfterStep();
  while (isBehind && performance.now() < deadline) isBehind = isBehindAfterStep();
  return live.end(isBehind);
}

function pollTimeMs(eventCount: number, quietSteps: number, busyMs: number): number {
  if (eventCount >= STEP_EVENTS) return 0;
  if (eventCount >= LOAD_EVENTS) return busyMs < SHORT_DRAIN_MS ? 2 * LOAD_POLL_MS : LOAD_POLL_MS;
  return quietSteps < QUIET_AFTER_STEPS ? BUSY_POLL_MS : QUIET_POLL_MS;
}

function replay(
  recording: RecordingCapture,
  sink: CaptureSink,
  batch: MessageBatch,
  progress: () => void,
  warn: (text: string) => void,
): void {
  try {
    while (!isStopped() && recording.step(sink, REPLAY_FRAMES)) {
      progress();
      batch.flush();
    }
  } catch (error) {
    if (!(error instanceof ThroughlineError) || error.code !== 'TL2005') throw error;
    warn(`${error.code} ${error.message}: ${error.hint}`);
  }
}

function progressTeller(batch: MessageBatch, pipeline: Pipeline, recorder: Recorder | null): () => void {
  let toldAt = performance.now();
  return () => {
    const now = performance.now();
    if (now - toldAt < PROGRESS_MS) return;
    toldAt = now;
    batch.add({
      kind: 'progress',
      events: pipeline.eventCount,
      recordedBytes: recorder?.writtenBytes ?? 0,
      position: null,
    });
  };
}

try {
  // Told when everything is closed: the recording is complete then.
  const summary = run();
  post({ type: 'done', summary });
} catch (error) {
  if (error instanceof RefusedRules) post({ type: 'refused', problems: error.problems });
  else if (error instanceof ThroughlineError)
    post({ type: 'failed', code: error.code, detail: error.detail });
  else {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    post({ type: 'failed', code: 'TL9001', detail });
  }
}
