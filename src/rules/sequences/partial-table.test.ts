import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { PartialTable } from './partial-table.ts';

const CAPACITY = 12;

type Step =
  | { readonly kind: 'add'; readonly owner: number; readonly key: number }
  | { readonly kind: 'renew' | 'progress' | 'delete'; readonly key: number }
  | { readonly kind: 'expire'; readonly age: number };

const key = fc.nat(40);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('add' as const), owner: fc.nat(4), key }) },
  fc.record({ kind: fc.constantFrom('renew' as const, 'progress' as const, 'delete' as const), key }),
  fc.record({ kind: fc.constant('expire' as const), age: fc.nat(60) }),
);

suite('the table of partial matches', () => {
  test('is bounded, keeps its order of time, and loses what is too old', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const table = new PartialTable<string>(CAPACITY);
        const added = new Set<string>();
        let nowNs = 0;
        let lost = 0;
        for (const one of steps) {
          nowNs++;
          const name = 'key' in one ? `${one.key}` : '';
          const entry = table.get(name);
          const before = table.size;
          if (one.kind === 'add' && entry === undefined) {
            added.add(name);
            table.add(name, `owner ${one.owner}`, name, nowNs);
            lost += before + 1 - table.size;
          } else if (one.kind === 'expire') {
            table.expire(nowNs - one.age);
            for (const known of added) assert.ok((table.get(known)?.newestNs ?? nowNs) >= nowNs - one.age);
          } else if (entry !== undefined && one.kind === 'renew') table.renew(entry, nowNs);
          else if (entry !== undefined && one.kind === 'progress')
            table.setProgress(entry, entry.progress + 1);
          else if (entry !== undefined && one.kind === 'delete') table.delete(entry);
          assert.ok(table.size <= CAPACITY);
          assert.equal(table.size, [...added].filter((known) => table.get(known) !== undefined).length);
          assert.equal(table.evicted, lost);
        }
        table.clear();
        assert.equal(table.size, 0);
      }),
    );
  });

  test('who has no more than their share loses nothing, whatever the others do', () => {
    const owners = 4;
    fc.assert(
      fc.property(fc.array(fc.nat(owners - 1), { maxLength: 300 }), (turns) => {
        const table = new PartialTable<number>(CAPACITY);
        const kept = Array.from({ length: owners }, () => 0);
        turns.forEach((owner, index) => {
          // The first owner stops at a fair share.
          if (owner === 0 && kept[0] === CAPACITY / owners) return;
          kept[owner] = (kept[owner] ?? 0) + 1;
          table.add(`${owner}/${kept[owner]}`, `${owner}`, index, index);
        });
        for (let number = 1; number <= (kept[0] ?? 0); number++)
          assert.ok(table.get(`0/${number}`) !== undefined);
      }),
    );
  });
});
