import { Pipeline } from '../../src/app/pipeline.ts';
import { createDetectors, PROTOCOLS } from '../../src/app/registry.ts';
import { viewOutput } from '../../src/app/view-output.ts';
import { FRAME_EVENT } from '../../src/capture/recording-format.ts';
import type { EngineMessage } from '../../src/cli/contract.ts';
import { factOf, headOf, type Frame } from './recordings.ts';
import type { JsonMessage } from './throughline.ts';

/** The whole brain in this process, its results collected as the command line would print them. */
export function createBrain(): { readonly pipeline: Pipeline; readonly messages: JsonMessage[] } {
  const messages: JsonMessage[] = [];
  const pipeline: Pipeline = new Pipeline({
    protocols: PROTOCOLS,
    detectors: createDetectors(),
    wants: { findings: true, requests: true, events: false },
    output: viewOutput(
      () => ({ clock: pipeline.clock, architecture: pipeline.architecture }),
      (message: EngineMessage) => messages.push(message as unknown as JsonMessage),
      () => {},
    ),
  });
  return { pipeline, messages };
}

/** What the brain makes of these entries of a recording. */
export function think(frames: readonly Frame[]): JsonMessage[] {
  const { pipeline, messages } = createBrain();
  let latestNs = 0;
  for (const frame of frames) {
    const fact = factOf(frame);
    if (fact !== null) {
      pipeline.fact(fact);
    } else if (frame.type === FRAME_EVENT) {
      const { content } = frame;
      latestNs = Math.max(latestNs, headOf(frame)?.timeNs ?? 0);
      const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
      pipeline.event(content, view, 0, content.length);
    }
  }
  pipeline.tick(latestNs + 60e9);
  pipeline.end();
  return messages;
}
