import type { Native, Pointer } from '../libbpf.ts';
import type { FunctionProbe } from './library-functions.ts';

/** The descriptor of a link with many probes, or libbpf's object of a link with one. */
type Link = number | Pointer;

/** Threads that take links off at once. */
const MAX_THREADS = 64;

/**
 * Puts probes into files, and takes them off. The kernel waits for some 10 ms before the first probe of a link, and for some
 * 60 ms after the last one, however many they are: so there is a link for each program where the kernel can (Linux 6.6),
 * and links are taken off at the same time, each in a thread of its own, for which nobody waits until the end.
 */
export class ProbeLinks {
  readonly #native: Native;
  readonly #programOf: (name: string) => Pointer;
  readonly #isMulti: boolean;
  readonly #threads: bigint[] = [];

  constructor(native: Native, programOf: (name: string) => Pointer, isMulti: boolean) {
    this.#native = native;
    this.#programOf = programOf;
    this.#isMulti = isMulti;
  }

  /** @returns what takes all of them off; null, and nothing is attached, when the kernel refuses one */
  attach(path: string, cookie: number, probes: readonly FunctionProbe[]): Disposable | null {
    const links: Link[] = [];
    const isWhole = this.#isMulti
      ? this.#attachTogether(path, cookie, probes, links)
      : this.#attachEach(path, cookie, probes, links);
    const attached = {
      [Symbol.dispose]: () => {
        for (const link of links.splice(0)) this.#detach(link);
      },
    };
    if (isWhole) return attached;
    attached[Symbol.dispose]();
    return null;
  }

  /** Waits for what is being taken off. */
  settle(): void {
    for (const thread of this.#threads.splice(0)) this.#native.joinThread(thread);
  }

  #attachTogether(path: string, cookie: number, probes: readonly FunctionProbe[], links: Link[]): boolean {
    const groups = Map.groupBy(probes, ({ program, isReturn }) => `${program} ${isReturn}`);
    for (const group of groups.values()) {
      const [{ program, isReturn } = { program: '', isReturn: false }] = group;
      const programFd = this.#native.programFd(this.#programOf(program));
      const offsets = group.map(({ offset }) => offset);
      const link = this.#native.attachUprobes(programFd, isReturn, path, offsets, cookie);
      if (link < 0) return false;
      links.push(link);
    }
    return true;
  }

  #attachEach(path: string, cookie: number, probes: readonly FunctionProbe[], links: Link[]): boolean {
    for (const { program, isReturn, offset } of probes) {
      const link = this.#native.attachUprobe(this.#programOf(program), isReturn, path, offset, cookie);
      if (link === null) return false;
      links.push(link);
    }
    return true;
  }

  #detach(link: Link): void {
    if (this.#threads.length >= MAX_THREADS) this.settle();
    const thread = this.#native.detachInThread(link);
    if (thread !== null) this.#threads.push(thread);
    else if (typeof link === 'number') this.#native.close(link);
    else this.#native.destroyLink(link);
  }
}
