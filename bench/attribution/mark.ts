import { idIn } from '../../test/support/truth.ts';
import type { EffectKind } from './effect-kind.ts';

/** Whether the bytes of the request stand in its effects, or only the mechanism can tell. */
export const CARRIES = ['plain', 'reversed'] as const;
export type Carry = (typeof CARRIES)[number];

/** How requests take turns, so that both kinds are in flight together. */
export function carryOf(id: string): Carry {
  return Number(id.slice(-1)) % 2 === 0 ? 'plain' : 'reversed';
}

/** One request in five does nothing, as health checks and cached pages do: it is read and answered amid the others. */
export function doesWork(id: string): boolean {
  return Number(id.slice(-2)) % 5 !== 4;
}

/** @param path where the server does its work */
export function targetOf(id: string, path: string): string {
  return doesWork(id) ? workTargetOf(id, path) : workTargetOf(id, '/');
}

/** Of a request that does work, whatever its id says. */
export function workTargetOf(id: string, path: string): string {
  return `${path}?id=${id}&carry=${carryOf(id)}`;
}

/** The part of an id that all requests of one load share. */
export function loadOf(id: string): string {
  return id.slice(0, -'000000'.length);
}

/** So much of an effect as carries a mark; queries are read by what `--json` says of them. */
export interface MarkedEffect {
  readonly type: string;
  readonly argv?: readonly string[];
  readonly path?: string;
  readonly resolvedPath?: string;
  readonly protocol?: string;
  readonly statement?: string;
  readonly parameters?: readonly string[];
}

export interface Mark {
  readonly kind: EffectKind;
  /** Id of the request that caused the effect, forwards. */
  readonly id: string;
}

/** What an effect says about who caused it; null where it carries no mark. */
export function markOf(effect: MarkedEffect): Mark | null {
  const { argv = [], path = '', resolvedPath = '', protocol = '', statement = '', parameters = [] } = effect;
  switch (effect.type) {
    case 'exec':
      return markIn('exec', argv);
    case 'open':
      return markIn('open', [path, resolvedPath]);
    case 'query':
      if (protocol === 'postgresql' || protocol === 'redis')
        return markIn(protocol, [statement, ...parameters]);
      return null;
    default:
      return null;
  }
}

function markIn(kind: EffectKind, texts: readonly string[]): Mark | null {
  for (const text of texts) {
    const id = idIn(text);
    if (id !== null) return { kind, id };
  }
  return null;
}

const SENT_ID = /id=(id-[0-9a-f]{8}-\d{6})/;

/** The id of the request that begins in these bytes: an HTTP request line, or a FastCGI QUERY_STRING. */
export function requestIdIn(bytes: Uint8Array): string | null {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 2048)).toString('latin1');
  return SENT_ID.exec(text)?.[1] ?? null;
}

/** What a question to PostgreSQL or Redis says about who asked; null for everything else, also for a request passed on. */
export function askedIn(bytes: Uint8Array): Mark | null {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 2048)).toString('latin1');
  const id = SENT_ID.test(text) ? null : idIn(text);
  return id === null ? null : { kind: text.includes('visit:') ? 'redis' : 'postgresql', id };
}
