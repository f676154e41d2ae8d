/** A place in a list, which holds one item. */
export interface ListNode<Item> {
  readonly item: Item;
  list: LinkedList<Item> | null;
  before: ListNode<Item> | null;
  after: ListNode<Item> | null;
}

/**
 * Items in the order in which they came, each of which can be taken out at once. A Map or Set does the same, but where items
 * come and go all the time it walks over thousands of empty places to find its first one.
 */
export class LinkedList<Item> {
  #first: ListNode<Item> | null = null;
  #last: ListNode<Item> | null = null;

  static node<Item>(item: Item): ListNode<Item> {
    return { item, list: null, before: null, after: null };
  }

  get first(): ListNode<Item> | null {
    return this.#first;
  }

  /** Puts it at the end, out of the list that it was in. */
  push(node: ListNode<Item>): void {
    node.list?.remove(node);
    node.list = this;
    node.before = this.#last;
    if (this.#last === null) this.#first = node;
    else this.#last.after = node;
    this.#last = node;
  }

  remove(node: ListNode<Item>): void {
    if (node.list !== this) return;
    if (node.before === null) this.#first = node.after;
    else node.before.after = node.after;
    if (node.after === null) this.#last = node.before;
    else node.after.before = node.before;
    node.list = null;
    node.before = null;
    node.after = null;
  }
}
