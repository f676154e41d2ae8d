import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sectionOf } from './section.ts';
import { madeUpFigures } from './testing.ts';

test('says how often the goal is met, by whom it is not, and how much is wrong', () => {
  const section = sectionOf({ runtimes: [madeUpFigures()], unavailable: [] });
  assert.match(section, /Of 832 effects 4 are on a wrong request\. The goal is met by 1 of 2 rows/);
  assert.match(section, /not by all rows of made-up\./);
  assert.match(section, /\n\| made-up, program started \| 32 \| 50\.0 : 75\.0 % \|/);
  assert.match(section, /is wrong most often for made-up: 88 %\./);
});

test('says of each run with which command it was made', () => {
  const [one, other] = [madeUpFigures({ name: 'one' }), madeUpFigures({ name: 'other' })];
  const single = sectionOf({ runtimes: [one, other], unavailable: [] });
  assert.match(
    single,
    /\nMeasured 2026-01-01, `make bench-attribution`, at least 100 requests a load, a machine\.\n/,
  );
  const again = {
    ...other,
    origin: { ...other.origin, command: 'make bench-attribution ARGS=x', requests: 9 },
  };
  const merged = sectionOf({ runtimes: [one, again], unavailable: [] });
  assert.match(
    merged,
    /\n- Measured .+, a machine: one\n- Measured .+ARGS=x`.+ 9 requests a load.+: other\n/,
  );
});

test('nothing that the tables do not show is kept quiet', () => {
  const section = sectionOf({
    runtimes: [madeUpFigures({ remarks: ['events were lost: 7'] })],
    unavailable: [{ name: 'gone', title: 'Gone', reason: 'it is not installed' }],
  });
  assert.match(section, /\n- NOT MEASURED: gone: it is not installed\n- made-up: events were lost: 7$/);
  assert.match(sectionOf({ runtimes: [], unavailable: [] }), /Not measured yet/);
});
