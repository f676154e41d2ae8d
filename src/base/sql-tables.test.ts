import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { sqlTables } from './sql-tables.ts';
import type { SqlDialect } from './sql-verb.ts';

const CASES: readonly (readonly [sql: string, ...tables: string[]])[] = [
  ['SELECT * FROM users', 'users'],
  ['select a from users u, "Orders" AS o where u.id = o.id', 'users', 'Orders'],
  ['SELECT * FROM app.users JOIN app."Orders" o ON o.id = users.id', 'app.users', 'app.Orders'],
  ['SELECT 1'],
  ['INSERT INTO logs (a, b) SELECT c, d FROM old', 'logs', 'old'],
  ['UPDATE users SET a = 1 FROM other WHERE users.id = other.id', 'users', 'other'],
  ['DELETE FROM sessions USING users WHERE 1 = 1', 'sessions', 'users'],
  ['DROP TABLE IF EXISTS a, b', 'a', 'b'],
  ['CREATE TABLE IF NOT EXISTS x (id int, name text)', 'x'],
  ['TRUNCATE TABLE a', 'a'],
  ['SELECT * FROM (SELECT * FROM inner_one) t WHERE id IN (SELECT id FROM second)', 'inner_one', 'second'],
  ['SELECT extract(year FROM created), substring(a from 2) FROM t', 't'],
  ['SELECT * FROM a FOR UPDATE', 'a'],
  ['INSERT INTO a VALUES (1) ON CONFLICT DO UPDATE SET b = 2', 'a'],
  ["SELECT ' FROM no ' FROM yes -- FROM no\n, more /* , no */", 'yes', 'more'],
  ['SELECT * FROM generate_series(1, 2), t', 't'],
  ['SELECT a FROM t1 UNION SELECT b, c FROM t2 ORDER BY a, b', 't1', 't2'],
  ['SELECT * FROM a JOIN b USING (id)', 'a', 'b'],
];

suite('tables of a statement', () => {
  for (const [sql, ...tables] of CASES)
    test(sql, () => assert.deepEqual(sqlTables(sql, 'postgresql'), tables));

  test('as each dialect quotes', () => {
    assert.deepEqual(sqlTables('SELECT "FROM x" FROM `t`', 'mysql'), ['t']);
    assert.deepEqual(sqlTables(String.raw`SELECT 'it\'s FROM x' FROM t`, 'mysql'), ['t']);
    assert.deepEqual(sqlTables(String.raw`SELECT '\' FROM t`, 'postgresql'), ['t']);
    assert.deepEqual(sqlTables('SELECT $$ FROM x $$, $a$ FROM y $a$, $1 FROM t', 'postgresql'), ['t']);
    assert.deepEqual(sqlTables('SELECT /*! a FROM */ t', 'mysql'), ['t']);
  });

  test('are bounded', () => {
    const many = Array.from({ length: 100 }, (_, index) => `t${index}`);
    assert.equal(sqlTables(`SELECT * FROM ${many.join(', ')}`, 'mysql').length, 16);
    assert.deepEqual(sqlTables(`SELECT * FROM ${'x'.repeat(10_000)}`, 'mysql'), ['x'.repeat(256)]);
  });

  test('of any text take time that grows with its length, and never throw', () => {
    const word = fc.constantFrom(
      'FROM',
      'SELECT',
      '(',
      ')',
      "'",
      '"',
      '`',
      '$$',
      '/*',
      '*/',
      '--',
      ',',
      '.',
      'a',
      ' ',
      '\\',
    );
    const dialect = fc.constantFrom<SqlDialect>('mysql', 'postgresql');
    fc.assert(
      fc.property(fc.array(word, { maxLength: 60 }), dialect, (words, one) => {
        assert.ok(sqlTables(words.join(''), one).length <= 16);
      }),
    );
    for (const piece of ['(', '/*', 'FROM a,', '"a".', '$a$', "'", 'FROM ', '-- '])
      assert.ok(sqlTables(piece.repeat(100_000), 'postgresql').length <= 16);
  });
});
