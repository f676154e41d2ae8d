import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withSection } from './document.ts';

test('the section is appended once and replaced from then on', () => {
  const first = withSection('# Title\n\nText.\n', 'one');
  assert.match(first, /^# Title\n\nText\.\n\n## .+\n\n<!-- .+begin.+-->\none\n\n<!-- .+end -->\n$/s);
  const second = withSection(`${first}\n## After\n`, 'two');
  assert.equal(second, `${first.replace('one', 'two')}\n## After\n`);
});

test('damaged markers are not guessed at', () => {
  const document = withSection('', 'one');
  assert.throws(() => withSection(document.slice(0, document.indexOf('one')), 'two'), /damaged/);
});
