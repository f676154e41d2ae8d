import type { Fact } from '../model/event.ts';

type User = Extract<Fact, { kind: 'user' }>;

/** Users and groups of the host, by their ids. What comes beyond the limit is left out. */
export class Accounts {
  readonly #limit: number;
  readonly #users = new Map<number, User>();
  readonly #groups = new Map<number, string>();

  /** @param limit of users, and of groups */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @returns whether there was room for it */
  learn(fact: Extract<Fact, { kind: 'user' | 'group' }>): boolean {
    if (fact.kind === 'user') return put(this.#users, fact.uid, fact, this.#limit);
    return put(this.#groups, fact.gid, fact.name, this.#limit);
  }

  user(uid: number): User | null {
    return this.#users.get(uid) ?? null;
  }

  groupName(gid: number): string | null {
    return this.#groups.get(gid) ?? null;
  }
}

function put<Value>(map: Map<number, Value>, id: number, value: Value, limit: number): boolean {
  if (map.size >= limit && !map.has(id)) return false;
  map.set(id, value);
  return true;
}
