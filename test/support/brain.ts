import { Pipeline } from '../../src/app/pipeline.ts';
import { createDetectors, PROTOCOLS } from '../../src/app/registry.ts';
import { viewOutput } from '../../src/app/view-output.ts';
import { FRAME_EVENT } from '../../src/capture/recording-format.ts';
import type { EngineMessage } from '../../src/cli/contract.ts';
import { factOf, headOf, type Frame } from './recordings.ts';
import type { JsonMessage } from './throughline.ts';

/** So long the time is told on after the last event: nothing is held back longer. */
const QUIET_NS = 2e9;

/** The whole brain in this process, its results collected as the command line would print them. */
export function createBrain(wantsRequests = true): {
  readonly pipeline: Pipeline;
  readonly messages: JsonMessage[];
} {
  const messages: JsonMessage[] = [];
  const pipeline: Pipeline = new Pipeline({
    protocols: PROTOCOLS,
    detectors: createDetectors(),
    wants: { findings: true, requests: wantsRequests, events: false },
    output: viewOutput(
      () => ({ clock: pipeline.clock, architecture: pipeline.architecture, world: pipeline.world }),
      (message: EngineMessage) => messages.push(message as unknown as JsonMessage),
      () => {},
      (error) => {
        throw error;
      },
    ),
  });
  return { pipeline, messages };
}

/**
 * What the brain makes of these entries of a recording.
 *
 * @param wantsRequests also shows every request, which means that every one is read
 * @param tickNs tells the time this often between the events, as the live capture does
 */
export function think(frames: readonly Frame[], tickNs = Infinity, wantsRequests = true): JsonMessage[] {
  const { pipeline, messages } = createBrain(wantsRequests);
  let latestNs = 0;
  for (const frame of frames) {
    const fact = factOf(frame);
    if (fact !== null) {
      pipeline.fact(fact);
    } else if (frame.type === FRAME_EVENT) {
      const { content } = frame;
      const { timeNs } = headOf(frame) ?? { timeNs: 0 };
      if (latestNs > 0)
        for (let nowNs = latestNs + tickNs; nowNs < timeNs; nowNs += tickNs) pipeline.tick(nowNs);
      latestNs = Math.max(latestNs, timeNs);
      const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
      pipeline.event(content, view, 0, content.length);
    }
  }
  for (let nowNs = latestNs + tickNs; nowNs < latestNs + QUIET_NS; nowNs += tickNs) pipeline.tick(nowNs);
  pipeline.tick(latestNs + 60e9);
  pipeline.end();
  return messages;
}
