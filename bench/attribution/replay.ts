import type { AttributionCounters } from '../../src/attribution/attribution.ts';
import { Pipeline } from '../../src/app/pipeline.ts';
import { createDetectors, PROTOCOLS } from '../../src/app/registry.ts';
import { viewOutput } from '../../src/app/view-output.ts';
import { RecordingCapture } from '../../src/capture/recording.ts';
import type { EngineMessage } from '../../src/cli/contract.ts';
import type { KernelEvent } from '../../src/model/event.ts';

const STEP_FRAMES = 20_000;

export interface ReplayTargets {
  /** What `trace --json` would print. */
  message(message: EngineMessage): void;
  /** The event that comes next, before the product looks at it. Valid during the call. */
  event(event: KernelEvent): void;
}

/** Runs the whole product over a recording, in this process: the same events for it and for the baselines. Returns its own counters. */
export async function replay(
  path: string,
  targets: ReplayTargets,
  signal: AbortSignal,
): Promise<AttributionCounters> {
  const pipeline: Pipeline = new Pipeline({
    protocols: PROTOCOLS,
    detectors: createDetectors(),
    wants: { findings: false, requests: true, events: true },
    output: {
      ...viewOutput(
        () => ({ clock: pipeline.clock, architecture: pipeline.architecture, world: pipeline.world }),
        (message) => targets.message(message),
        () => {},
        (error) => {
          throw error;
        },
      ),
      event: (event) => targets.event(event),
    },
  });
  using recording = new RecordingCapture(path);
  while (recording.step(pipeline, STEP_FRAMES)) {
    // Lets Ctrl-C in.
    await new Promise((done) => setImmediate(done));
    signal.throwIfAborted();
  }
  pipeline.end();
  return pipeline.attributor.counters;
}
