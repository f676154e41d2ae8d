import type { OwnerName } from './join-key.ts';
import { LinkedList } from './linked-list.ts';

/** What is remembered of one key. */
export class TableEntry<State> {
  readonly key: string;
  readonly state: State;
  readonly owner: Owner<State>;
  /** When its time began, in nanoseconds since boot. */
  newestNs: number;
  /** Steps that are done. */
  progress = 0;
  readonly inOrder = LinkedList.node<TableEntry<State>>(this);
  readonly ofOwner = LinkedList.node<TableEntry<State>>(this);

  constructor(key: string, state: State, owner: Owner<State>, timeNs: number) {
    this.key = key;
    this.state = state;
    this.owner = owner;
    this.newestNs = timeNs;
  }
}

/** Who pays for entries. */
class Owner<State> {
  readonly name: OwnerName;
  count = 0;
  /** By progress; in each the oldest first. */
  readonly entries: LinkedList<TableEntry<State>>[] = [];
  readonly rank = LinkedList.node<Owner<State>>(this);

  constructor(name: OwnerName) {
    this.name = name;
  }
}

/**
 * What rules over several events remember until the rest has come: bounded, and fair. Where it is full, whoever holds most of
 * it loses, so that one client or container which begins a million sequences forgets its own; of those what has come least far.
 */
export class PartialTable<State> {
  /** Entries that were forgotten although their time was not over. */
  evicted = 0;
  readonly #capacity: number;
  readonly #entries = new Map<string, TableEntry<State>>();
  /** All entries, first that whose time is over first. */
  readonly #inOrder = new LinkedList<TableEntry<State>>();
  readonly #owners = new Map<OwnerName, Owner<State>>();
  /** Owners by the number of their entries, so that the one with most is found at once. */
  readonly #ranks: LinkedList<Owner<State>>[] = [];
  #highest = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): TableEntry<State> | undefined {
    return this.#entries.get(key);
  }

  /** @param ownerName who pays for it */
  add(key: string, ownerName: OwnerName, state: State, timeNs: number): TableEntry<State> {
    const owner = this.#ownerNamed(ownerName);
    const entry = new TableEntry(key, state, owner, timeNs);
    this.#rank(owner, 1);
    this.#entries.set(key, entry);
    this.#inOrder.push(entry.inOrder);
    listAt(owner.entries, 0).push(entry.ofOwner);
    if (this.#entries.size > this.#capacity) this.#evict(entry);
    return entry;
  }

  /** Its time begins anew. */
  renew(entry: TableEntry<State>, timeNs: number): void {
    entry.newestNs = timeNs;
    this.#inOrder.push(entry.inOrder);
    listAt(entry.owner.entries, entry.progress).push(entry.ofOwner);
  }

  setProgress(entry: TableEntry<State>, progress: number): void {
    if (progress === entry.progress) return;
    entry.progress = progress;
    listAt(entry.owner.entries, progress).push(entry.ofOwner);
  }

  delete({ key, owner, inOrder, ofOwner }: TableEntry<State>): void {
    this.#entries.delete(key);
    inOrder.list?.remove(inOrder);
    ofOwner.list?.remove(ofOwner);
    this.#rank(owner, -1);
    if (owner.count === 0) this.#owners.delete(owner.name);
  }

  /** Forgets the entries whose time began before. */
  expire(beforeNs: number): void {
    for (let oldest = this.#inOrder.first; oldest !== null; oldest = this.#inOrder.first) {
      if (oldest.item.newestNs >= beforeNs) return;
      this.delete(oldest.item);
    }
  }

  clear(): void {
    this.expire(Infinity);
  }

  /** @param spared it has just come, and is kept unless its owner has nothing else */
  #evict(spared: TableEntry<State>): void {
    while (this.#highest > 0 && listAt(this.#ranks, this.#highest).first === null) this.#highest--;
    const owner = listAt(this.#ranks, this.#highest).first?.item;
    for (const { first } of owner?.entries ?? []) {
      const entry = first?.item === spared && owner?.count !== 1 ? first.after?.item : first?.item;
      if (entry === undefined) continue;
      this.delete(entry);
      this.evicted++;
      return;
    }
  }

  #ownerNamed(name: OwnerName): Owner<State> {
    const known = this.#owners.get(name);
    if (known !== undefined) return known;
    const owner = new Owner<State>(name);
    this.#owners.set(name, owner);
    return owner;
  }

  #rank(owner: Owner<State>, change: 1 | -1): void {
    owner.count += change;
    if (owner.count === 0) owner.rank.list?.remove(owner.rank);
    else listAt(this.#ranks, owner.count).push(owner.rank);
    this.#highest = Math.max(this.#highest, owner.count);
  }
}

function listAt<Item>(lists: LinkedList<Item>[], index: number): LinkedList<Item> {
  // No holes: what is walked must have a list in each place.
  while (lists.length <= index) lists.push(new LinkedList());
  return lists[index] as LinkedList<Item>;
}
