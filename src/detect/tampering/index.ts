import { argumentsOf } from '../../model/actions.ts';
import type { ActionEffect, Effect } from '../../model/effect.ts';
import type { Detection, Severity } from '../../model/finding.ts';
import type { Detector } from '../contract.ts';

const NAME = 'tampering';
/** Whether a process is there is asked with this one; nothing is sent. */
const NO_SIGNAL = 0;
/** How a program is told to end, or to look at its configuration again, by whoever has started it. */
const POLITE_SIGNALS: ReadonlySet<number> = new Set([1, 2, 10, 12, 15, 18]); // HUP, INT, USR1, USR2, TERM, CONT

/**
 * Somebody does something to Throughline itself: signals it, traces it, reads or writes its memory, sets its limits. A signal that ends it at
 * once is told by whoever starts it next (src/app/run-state.ts), since nobody is left to tell.
 */
export function createTampering(): Detector {
  let parentPid = 0;
  const look = (effect: Effect): readonly Detection[] => {
    if (effect.type !== 'action' || !effect.isAimedAtAgent) return [];
    const signal = signalOf(effect);
    if (signal === NO_SIGNAL || asksForLimits(effect)) return [];
    if (signal !== null && POLITE_SIGNALS.has(signal) && effect.pid === parentPid) return [];
    return [detectionOf(effect, signal)];
  };
  return {
    name: NAME,
    onAgent(pid) {
      parentPid = pid;
    },
    onEffect: look,
    onHostEffect: look,
  };
}

/** Nothing is set, as monitors do. */
function asksForLimits(effect: ActionEffect): boolean {
  return effect.action === 'prlimit' && effect.arguments[2] === 0;
}

/** null where the action sends none. */
function signalOf(effect: ActionEffect): number | null {
  const index = argumentsOf(effect.action, effect.syscall).findIndex(({ as }) => as === 'signal');
  const signal = effect.arguments[index];
  return typeof signal === 'number' ? signal : null;
}

function detectionOf(effect: ActionEffect, signal: number | null): Detection {
  const hasFailed = effect.result < 0;
  return {
    detector: NAME,
    verdict: hasFailed ? 'PROBED' : 'SUSPICIOUS',
    class: 'tampering',
    severity: hasFailed ? 'low' : severityOf(signal),
    title: titleOf(effect, signal),
    cwe: [],
    // Impair Defenses: Disable or Modify Tools; Process Injection.
    attack: signal === null && effect.action !== 'prlimit' ? ['T1562.001', 'T1055'] : ['T1562.001'],
    request: effect.attribution.request,
    effect,
    evidence: [],
  };
}

function severityOf(signal: number | null): Severity {
  return signal !== null && POLITE_SIGNALS.has(signal) ? 'medium' : 'critical';
}

function titleOf({ action, result }: ActionEffect, signal: number | null): string {
  const what = signal === null ? action : 'a signal';
  return result < 0 ? `Somebody tried ${what} on Throughline` : `Somebody used ${what} on Throughline`;
}
