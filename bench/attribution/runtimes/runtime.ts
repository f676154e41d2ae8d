import { join } from 'node:path';
import { ROOT } from '../../checkout.ts';
import type { EffectKind } from '../effect-kind.ts';

/** What the set-up installed and what servers are built into. */
export const CACHE = join(ROOT, '.cache', 'bench-attribution');
export const SERVERS = join(import.meta.dirname, '..', 'servers');

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** It refuses to be root, or to serve as root: it runs as nobody. */
  readonly isNobody?: boolean;
}

/** Where a server may write, and where it has to listen. */
export interface Place {
  /** Its own folder, readable for everybody. */
  readonly directory: string;
  readonly port: number;
}

/** One kind of server: how it is named, whether it can run here, and the programs that it is made of. */
export interface Runtime {
  /** For --runtime and the tables. */
  readonly name: string;
  /** How it serves, for people. */
  readonly title: string;
  /** Where it does its work; default: /work. */
  readonly path?: string;
  /** The effects that a request has, and how many of each carry its mark. */
  readonly expected: Readonly<Partial<Record<EffectKind, number>>>;
  /** Why this machine cannot run it; null when it can. */
  missing(): string | null;
  /** The programs to start, the one that listens last. May build and write what they need. */
  prepare(place: Place): readonly Command[] | Promise<readonly Command[]>;
}

/** For POOL_SIZE: more connections than there are requests at once. */
export const WIDE_POOL_SIZE = 320;

/** With a driver for each of the services. */
export const WITH_REDIS = { exec: 1, open: 1, postgresql: 2, redis: 1 } as const;
/** Debian has no Redis driver for the runtime. */
export const WITHOUT_REDIS = { exec: 1, open: 1, postgresql: 2 } as const;
