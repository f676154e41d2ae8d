import type { EngineMessage } from '../cli/contract.ts';
import type { ViewContext } from '../output/effect-view.ts';
import { eventView } from '../output/event-view.ts';
import { findingView } from '../output/finding-view.ts';
import { lateEffectView, lossView, orphanView, requestView } from '../output/request-view.ts';
import type { PipelineOutput } from './pipeline.ts';

/** Turns the brain's results into views, which can leave its thread. */
export function viewOutput(
  context: () => ViewContext,
  add: (message: EngineMessage) => void,
  ignoreConnection: (connection: number) => void,
  failed: (error: unknown) => void,
): PipelineOutput {
  return {
    event: (event) => add(eventView(event, context())),
    finding: (finding) => add(findingView(finding, context())),
    request: (request) => add(requestView(request, context())),
    lateEffect: (request, effect) => add(lateEffectView(request, effect, context())),
    orphan: (effect) => add(orphanView(effect, context())),
    loss: (loss) => add(lossView(loss, context())),
    failed,
    ignoreConnection,
  };
}
