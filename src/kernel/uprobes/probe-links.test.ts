import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { FunctionProbe } from './library-functions.ts';
import { ProbeLinks, type LinkNative } from './probe-links.ts';

const PROBES: readonly FunctionProbe[] = [
  { program: 'read', isReturn: false, offset: 100 },
  { program: 'exit', isReturn: true, offset: 100 },
  { program: 'write', isReturn: false, offset: 200 },
  { program: 'exit', isReturn: true, offset: 200 },
];
const PROGRAMS = ['read', 'write', 'exit'];

/** Links in a kernel that refuses some, by number. */
class FakeKernel implements LinkNative {
  readonly links = new Map<number, string>();
  readonly running = new Set<bigint>();
  #count = 0;
  mostRunning = 0;
  refuses = '';
  hasThreads = true;

  programFd(program: object | bigint): number {
    return Number(program);
  }

  attachUprobes(
    fd: number,
    isReturn: boolean,
    path: string,
    offsets: readonly number[],
    cookie: number,
  ): number {
    return this.#add(fd, `${isReturn} ${path} ${offsets.join()} ${cookie}`) ?? -22;
  }

  attachUprobe(
    program: object | bigint,
    isReturn: boolean,
    path: string,
    offset: number,
    cookie: number,
  ): bigint | null {
    const link = this.#add(Number(program), `${isReturn} ${path} ${offset} ${cookie}`);
    return link === null ? null : BigInt(link);
  }

  detachInThread(link: object | bigint | number): bigint | null {
    if (!this.hasThreads) return null;
    this.close(Number(link));
    const thread = BigInt(++this.#count);
    this.running.add(thread);
    this.mostRunning = Math.max(this.mostRunning, this.running.size);
    return thread;
  }

  joinThread(thread: bigint): void {
    assert.ok(this.running.delete(thread));
  }

  close(link: number): number {
    assert.ok(this.links.delete(link), 'no link is taken off twice');
    return 0;
  }

  destroyLink(link: object | bigint): number {
    return this.close(Number(link));
  }

  #add(program: number, what: string): number | null {
    const name = PROGRAMS[program] ?? '';
    if (name === this.refuses) return null;
    const link = ++this.#count;
    this.links.set(link, `${name} ${what}`);
    return link;
  }
}

const programOf = (name: string): bigint => BigInt(PROGRAMS.indexOf(name));

describe('links of probes', () => {
  test('one for each program, or one for each probe', () => {
    for (const isMulti of [true, false]) {
      const kernel = new FakeKernel();
      const probes = new ProbeLinks(kernel, programOf, isMulti).attach('/file', 7, PROBES);
      assert.ok(probes);
      assert.deepEqual(
        [...kernel.links.values()].toSorted(),
        isMulti
          ? ['exit true /file 100,200 7', 'read false /file 100 7', 'write false /file 200 7']
          : [
              'exit true /file 100 7',
              'exit true /file 200 7',
              'read false /file 100 7',
              'write false /file 200 7',
            ],
      );
    }
  });

  for (const isMulti of [true, false])
    for (const hasThreads of [true, false])
      test(`${isMulti ? 'many' : 'one'} in a link, ${hasThreads ? '' : 'no '}threads: all go off, and are waited for`, () => {
        const kernel = new FakeKernel();
        kernel.hasThreads = hasThreads;
        const links = new ProbeLinks(kernel, programOf, isMulti);
        const attached = Array.from({ length: 100 }, () => links.attach('/file', 0, PROBES));
        for (const probes of attached) probes?.[Symbol.dispose]();
        assert.equal(kernel.links.size, 0);
        attached[0]?.[Symbol.dispose]();
        assert.equal(kernel.mostRunning, hasThreads ? 64 : 0);
        links.settle();
        assert.equal(kernel.running.size, 0);
      });

  test('what the kernel takes only in part is taken off again', () => {
    for (const isMulti of [true, false]) {
      const kernel = new FakeKernel();
      kernel.refuses = 'write';
      assert.equal(new ProbeLinks(kernel, programOf, isMulti).attach('/file', 0, PROBES), null);
      assert.equal(kernel.links.size, 0);
    }
  });
});
