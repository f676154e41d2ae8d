import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { ElfFile } from './elf-file.ts';
import { findFunctions } from './find-functions.ts';
import { LIBRARIES } from './libraries.ts';
import { OpenFile } from './mapped-files.ts';

/** Built into a program at a fixed address, and libraries that are loaded anywhere: addresses stand in place or as relocations. */
const FILES = [
  '/usr/bin/python3.11',
  ...['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu'].flatMap((directory) =>
    existsSync(directory)
      ? readdirSync(directory)
          .filter((name) => /^libpython3\.\d+\.so\.1\.0$/.test(name))
          .map((name) => `${directory}/${name}`)
      : [],
  ),
].filter((path) => existsSync(path));
const FUNCTIONS = LIBRARIES.filter(({ name }) => name.endsWith('built-in Python')).flatMap(
  ({ functions }) => functions,
);

describe('functions that have no symbol', () => {
  for (const path of FILES)
    test(`methods of a type in ${path}`, () => {
      using file = new OpenFile(path);
      const found = findFunctions(file, FUNCTIONS);
      assert.deepEqual([...found.keys()].toSorted(), FUNCTIONS.map(({ symbol }) => symbol).toSorted());
      assert.equal(new Set(found.values()).size, FUNCTIONS.length);
      // They are neighbours: of one source file.
      const [first = 0] = found.values();
      for (const offset of found.values()) assert.ok(Math.abs(offset - first) < 1024 * 1024, `${offset}`);
    });

  test('a program without such variables has none', () => {
    using file = new OpenFile(process.execPath);
    assert.equal(findFunctions(file, FUNCTIONS).size, 0);
    assert.equal(ElfFile.open(file)?.pointerAt(0x7fff_ffff_f000), null);
  });
});
