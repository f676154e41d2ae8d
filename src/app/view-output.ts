import type { EngineMessage } from '../cli/contract.ts';
import type { ViewContext } from '../output/effect-view.ts';
import { eventView } from '../output/event-view.ts';
import { findingView } from '../output/finding-view.ts';
import { lateEffectView, lossView, orphanView, requestView } from '../output/request-view.ts';
import type { RequestFilter } from '../output/request-filter.ts';
import { RequestGate, type GateOutput } from '../output/request-gate.ts';
import type { PipelineOutput } from './pipeline.ts';

/**
 * Turns the brain's results into views, which can leave its thread.
 *
 * @param filter which requests are wanted; of the others no view is made
 */
export function viewOutput(
  context: () => ViewContext,
  add: (message: EngineMessage) => void,
  ignoreConnection: (connection: number, isPlaintext: boolean) => void,
  failed: (error: unknown) => void,
  filter: RequestFilter | null = null,
): PipelineOutput {
  const requests: GateOutput = {
    request: (request) => add(requestView(request, context())),
    lateEffect: (request, effect) => add(lateEffectView(request, effect, context())),
    orphan: (effect) => add(orphanView(effect, context())),
  };
  const gate = filter === null ? requests : new RequestGate(filter, requests);
  return {
    event: (event) => add(eventView(event, context())),
    finding: (finding) => add(findingView(finding, context())),
    request: (request) => gate.request(request),
    lateEffect: (request, effect) => gate.lateEffect(request, effect),
    orphan: (effect) => gate.orphan(effect),
    loss: (loss) => add(lossView(loss, context())),
    failed,
    ignoreConnection,
  };
}
