import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sqlVerb, type SqlDialect } from './sql-verb.ts';

const CASES: readonly (readonly [string, SqlDialect, string])[] = [
  ['select 1', 'postgresql', 'SELECT'],
  [' \n\t; (Select 1) union (select 2)', 'mysql', 'SELECT'],
  ['-- who\n--\nDELETE from t', 'postgresql', 'DELETE'],
  ['-- who\nDELETE from t', 'mysql', 'DELETE'],
  ['--5', 'mysql', ''],
  ['--5\nselect', 'postgresql', 'SELECT'],
  ['# who\nUPDATE t', 'mysql', 'UPDATE'],
  ['# who\nUPDATE t', 'postgresql', ''],
  ['/* a /* b */ c */ insert', 'postgresql', 'INSERT'],
  ['/* a /* b */ insert', 'mysql', 'INSERT'],
  ['/*!50110 KILL */ 5', 'mysql', 'KILL'],
  ['/*M!100100 set */ x', 'mysql', 'SET'],
  ['/* never closed select', 'mysql', ''],
  ['/*/ select', 'postgresql', ''],
  ['select/**/1', 'mysql', 'SELECT'],
  ["'text'", 'mysql', ''],
  ['', 'postgresql', ''],
  ['a'.repeat(100), 'mysql', 'A'.repeat(32)],
];

describe('sqlVerb', () => {
  for (const [sql, dialect, verb] of CASES)
    it(`${JSON.stringify(sql.slice(0, 40))} in ${dialect}`, () => assert.equal(sqlVerb(sql, dialect), verb));
});
