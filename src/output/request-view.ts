import { textFromByteString } from '../base/bytes.ts';
import type { Effect } from '../model/effect.ts';
import type { Request } from '../model/request.ts';
import { containerView } from './container-view.ts';
import { effectView, timeText, type ViewContext } from './effect-view.ts';
import { forwardedForView } from './forwarded-for-view.ts';
import { processOfEffectView } from './process-view.ts';
import { maskedTarget } from './secrets.ts';
import type { LateEffectView, LossView, OrphanView, RequestSummaryView, RequestView } from './views.ts';

export function requestView(request: Request, context: ViewContext): RequestView {
  return {
    ...requestSummaryView(request, context),
    effects: request.effects.map((effect) => effectView(effect, context)),
  };
}

/**
 * A request without its effects.
 *
 * @param isShown query parameters that are shown although they are named like a secret
 */
export function requestSummaryView(
  request: Request,
  context: ViewContext,
  isShown?: (name: string) => boolean,
): RequestSummaryView {
  const { connection, message, process } = request;
  return {
    kind: 'request',
    id: request.id,
    method: textFromByteString(message.method),
    target: maskedTarget(textFromByteString(message.target), isShown),
    client: { ip: connection.client.address, port: connection.client.port },
    forwardedFor: forwardedForView(request),
    server: {
      pid: process.pid,
      exe: textFromByteString(process.executable),
      comm: textFromByteString(process.comm),
      container: containerView(process),
      unit: process.serviceUnit,
      address: connection.server.address,
      port: connection.server.port,
    },
    status: request.status,
    startedAt: timeText(request.startedNs, context.clock),
    durationMs:
      request.endedNs === null ? null : Math.round((request.endedNs - request.startedNs) / 1e3) / 1e3,
    droppedEffects: request.droppedEffects,
    anomalies: message.anomalies,
    truncated: message.isTruncated,
  };
}

/** An effect of a request-serving process that belongs to no request for certain. */
export function orphanView(effect: Effect, context: ViewContext): OrphanView {
  return {
    kind: 'orphan',
    effect: effectView(effect, context),
    process: processOfEffectView(effect, context),
    candidates: effect.attribution.candidates.map((request) => request.id),
  };
}

/** An effect that came after its request was shown. */
export function lateEffectView(request: Request, effect: Effect, context: ViewContext): LateEffectView {
  return { kind: 'effect', request: request.id, effect: effectView(effect, context) };
}

export function lossView(
  loss: { readonly timeNs: number; readonly reasons: Readonly<Record<string, number>> },
  context: ViewContext,
): LossView {
  return { kind: 'loss', time: timeText(loss.timeNs, context.clock), reasons: { ...loss.reasons } };
}
