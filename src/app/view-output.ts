import type { EngineMessage } from '../cli/contract.ts';
import type { HashQuestion } from '../model/executable.ts';
import type { ViewContext } from '../output/effect-view.ts';
import { eventView } from '../output/event-view.ts';
import { findingView } from '../output/finding-view.ts';
import { lateEffectView, lossView, orphanView, requestView } from '../output/request-view.ts';
import type { RequestFilter } from '../output/request-filter.ts';
import type { ProcessTable } from '../world/process-table.ts';
import { RequestGate, type GateOutput } from '../output/request-gate.ts';
import type { EventHold } from './event-hold.ts';
import type { PipelineOutput } from './pipeline.ts';

export interface ViewOptions {
  /** Which requests are wanted; of the others no view is made. */
  readonly filter?: RequestFilter | null;
  /** Where events wait for the hashes of their programs; null: they do not. */
  readonly hold?: EventHold | null;
  readonly askHash?: (question: HashQuestion) => void;
}

/**
 * Turns the brain's results into views, which can leave its thread.
 */
export function viewOutput(
  context: () => ViewContext & { readonly world: Pick<ProcessTable, 'executables'> },
  add: (message: EngineMessage) => void,
  ignoreConnection: (connection: number, isPlaintext: boolean) => void,
  failed: (error: unknown) => void,
  { filter = null, hold = null, askHash }: ViewOptions = {},
): PipelineOutput {
  const requests: GateOutput = {
    request: (request) => add(requestView(request, context())),
    lateEffect: (request, effect) => add(lateEffectView(request, effect, context())),
    orphan: (effect) => add(orphanView(effect, context())),
  };
  const gate = filter === null ? requests : new RequestGate(filter, requests);
  return {
    event: (event) => {
      const view = eventView(event, context());
      if (hold === null) add(view);
      else hold.add(view, event.kind === 'exec' ? context().world.executables.executedBy(event) : null);
    },
    ...(askHash === undefined ? {} : { askHash }),
    finding: (finding) => add(findingView(finding, context())),
    request: (request) => gate.request(request),
    lateEffect: (request, effect) => gate.lateEffect(request, effect),
    orphan: (effect) => gate.orphan(effect),
    loss: (loss) => add(lossView(loss, context())),
    ...(hold === null ? {} : { tick: (nowNs: number) => hold.tick(nowNs) }),
    failed,
    ignoreConnection,
  };
}
