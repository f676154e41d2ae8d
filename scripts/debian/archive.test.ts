import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { chooseArchive } from './archive.ts';

const main = { release: 'bookworm', component: 'main' };

suite("the machine's Debian archive", () => {
  test('is told from its updates and from what others serve', () => {
    const targets = [
      { uri: 'http://other.example/apt/', ...main },
      { uri: 'http://mirror.example/debian-security/', release: 'bookworm-security', component: 'main' },
      { uri: 'http://mirror.example/debian/', release: 'bookworm-updates', component: 'main' },
      { uri: 'http://mirror.example/debian/', release: 'bookworm', component: 'contrib' },
      { uri: 'http://mirror.example/debian/', ...main },
    ];
    assert.equal(chooseArchive(targets, 'bookworm'), 'http://mirror.example/debian/');
  });

  test('is found where the sources say stable', () => {
    const targets = [{ uri: 'https://mirror.example/debian', release: 'stable', component: 'main' }];
    assert.equal(chooseArchive(targets, 'bookworm'), 'https://mirror.example/debian');
  });

  test('is not guessed', () => {
    assert.equal(chooseArchive([{ uri: 'http://other.example/ubuntu/', ...main }], 'noble'), null);
    assert.equal(chooseArchive([{ uri: 'http://other.example/debian-tools/', ...main }], 'bookworm'), null);
    assert.equal(chooseArchive([], 'bookworm'), null);
  });
});
