import type { ByteString } from '../../base/bytes.ts';
import { dropOldest } from '../../base/oldest.ts';
import type { OpenEffect } from '../../model/effect.ts';
import type { Request } from '../../model/request.ts';

const MAX_PATHS = 2048;
const MAX_SERVERS = 1024;
/** So many requests must have done without a file before opening it is no routine of the application. */
const SETTLED_REQUESTS = 3;
/** So many different requests must have opened a file before opening it is routine. */
const ROUTINE_REQUESTS = 2;

/**
 * Sensitive files that servers open by themselves: WordPress reads wp-config.php for every request, getpwnam reads
 * /etc/passwd. When such an open falls together with a request that names the file and was handled safely, only this
 * tells chance from an attack: requests that name no file opened it too.
 */
export class RoutineOpens {
  readonly #paths = new Map<ByteString, { count: number; last: string }>();
  readonly #servers = new Map<ByteString, number>();

  countRequest(request: Request): void {
    const server = request.process.executable;
    const count = this.#servers.get(server) ?? 0;
    if (count > SETTLED_REQUESTS) return;
    if (count === 0) makeRoom(this.#servers, MAX_SERVERS);
    this.#servers.set(server, count + 1);
  }

  /** Enough requests of this server were seen to know its routine. The one in question was counted too. */
  isSettled(request: Request): boolean {
    return (this.#servers.get(request.process.executable) ?? 0) > SETTLED_REQUESTS;
  }

  /** A request that names no file opened this one. */
  learn(effect: OpenEffect, request: Request): void {
    const key = keyOf(effect);
    const known = this.#paths.get(key);
    if (known === undefined) {
      makeRoom(this.#paths, MAX_PATHS);
      this.#paths.set(key, { count: 1, last: request.id });
    } else if (known.last !== request.id && known.count < ROUTINE_REQUESTS) {
      known.count++;
      known.last = request.id;
    }
  }

  isRoutine(effect: OpenEffect): boolean {
    return (this.#paths.get(keyOf(effect))?.count ?? 0) >= ROUTINE_REQUESTS;
  }
}

function keyOf(effect: OpenEffect): ByteString {
  return `${effect.process.executable}\0${effect.path}`;
}

function makeRoom(map: Map<ByteString, unknown>, limit: number): void {
  if (map.size >= limit) dropOldest(map);
}
