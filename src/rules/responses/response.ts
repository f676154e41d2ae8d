import { durationText } from '../sequences/duration.ts';

/**
 * What is to be done about a match. Kept with the rule and told with its alerts; there is no responder yet that acts on it.
 * - kill: the process, or it and what it has started, gets a signal
 * - contain: the process or its container loses the network, for a time or until somebody gives it back
 * - block: the client of the request, or the other end of the connection, is refused for a time
 */
export type Response =
  | { readonly kind: 'kill'; readonly target: 'process' | 'tree'; readonly signal: Signal }
  | {
      readonly kind: 'contain';
      readonly target: 'process' | 'container';
      /** Nanoseconds; null: until somebody ends it. */
      readonly forNs: number | null;
    }
  | { readonly kind: 'block'; readonly target: 'client' | 'remote'; readonly forNs: number };

export const SIGNALS = ['SIGKILL', 'SIGTERM', 'SIGSTOP'] as const;
type Signal = (typeof SIGNALS)[number];

export const RESPONSES = ['kill', 'contain', 'block'] as const satisfies readonly Response['kind'][];

/** As JSON has it: {"respond":"block","target":"client","for":"30m"}; a null `for`: until somebody ends it. */
export interface ResponseView {
  readonly respond: Response['kind'];
  readonly target: string;
  readonly signal?: string;
  readonly for?: string | null;
}

export function responseView(response: Response): ResponseView {
  const { kind, target } = response;
  if (kind === 'kill') return { respond: kind, target, signal: response.signal };
  return { respond: kind, target, for: response.forNs === null ? null : durationText(response.forNs) };
}

/** "block client for 30m" */
export function responseText(response: Response): string {
  const { kind, target } = response;
  if (kind === 'kill') return `kill ${target} with ${response.signal}`;
  return `${kind} ${target}${response.forNs === null ? '' : ` for ${durationText(response.forNs)}`}`;
}
