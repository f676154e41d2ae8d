import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askedIn, carryOf, loadOf, markOf, requestIdIn, targetOf } from './mark.ts';

const ID = 'id-0123abcd-000017';
const REVERSED = '710000-dcba3210-di';

test('half of the requests carry their id backwards, some do nothing', () => {
  assert.equal(carryOf(ID), 'reversed');
  assert.equal(carryOf('id-0123abcd-000018'), 'plain');
  assert.equal(targetOf(ID, '/work'), `/work?id=${ID}&carry=reversed`);
  assert.equal(targetOf('id-0123abcd-000019', '/work'), '/?id=id-0123abcd-000019&carry=reversed');
  assert.equal(loadOf(ID), 'id-0123abcd-');
});

test('effects of every kind name their request, forwards or backwards', () => {
  assert.deepEqual(markOf({ type: 'exec', argv: ['/bin/echo', ID] }), { kind: 'exec', id: ID });
  assert.deepEqual(markOf({ type: 'open', path: `${REVERSED}.txt`, resolvedPath: '' }), {
    kind: 'open',
    id: ID,
  });
  assert.deepEqual(markOf({ type: 'open', path: '', resolvedPath: `/w/${ID}.txt` }), {
    kind: 'open',
    id: ID,
  });
  assert.deepEqual(
    markOf({ type: 'query', protocol: 'postgresql', statement: 'INSERT ...', parameters: [REVERSED] }),
    { kind: 'postgresql', id: ID },
  );
  assert.deepEqual(markOf({ type: 'query', protocol: 'redis', statement: `EXISTS visit:${ID}` }), {
    kind: 'redis',
    id: ID,
  });
});

test('what carries no mark, or is of no kind that is judged, is left out', () => {
  assert.equal(markOf({ type: 'exec', argv: ['/bin/echo', 'hello'] }), null);
  assert.equal(markOf({ type: 'exit' }), null);
  assert.equal(markOf({ type: 'query', protocol: 'dns', statement: ID }), null);
});

test('a request begins where its id is a parameter, not where a statement mentions it', () => {
  const bytes = (text: string): Uint8Array => Buffer.from(text);
  assert.equal(requestIdIn(bytes(`GET /work?id=${ID}&carry=plain HTTP/1.1\r\n`)), ID);
  assert.equal(requestIdIn(bytes(`\x0c\x25QUERY_STRINGid=${ID}&carry=plain`)), ID);
  assert.equal(requestIdIn(bytes(`SELECT 1 /* ${ID} */`)), null);
});

test('a question names who asked it', () => {
  const asked = (text: string) => askedIn(Buffer.from(text));
  assert.deepEqual(asked(`SELECT 1 /* ${REVERSED} */`), { kind: 'postgresql', id: ID });
  assert.deepEqual(asked(`*2\r\n$6\r\nEXISTS\r\n$24\r\nvisit:${ID}\r\n`), { kind: 'redis', id: ID });
  assert.equal(asked(`QUERY_STRINGid=${ID}&carry=plain`), null);
});
