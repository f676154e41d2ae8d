import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { listRuleFiles } from '../../cli/rules/rule-ground.ts';
import { rulesOf, ruleText } from '../../rules/testing.ts';
import { rulesOnPlainRequests } from './plain-requests.ts';

const reads = (condition: string) => rulesOnPlainRequests(rulesOf(ruleText(condition))).length === 1;

test('what cannot stand in a plain request asks for no plain ones', () => {
  for (const condition of [
    'http.target icontains "${jndi:" or http.user_agent icontains "${jndi:" or http.body contains x',
    'http.header[cookie] contains "() {" or http.header[referer] startswith "() {"',
    'http.target icontains anyof ("php://input", "php%3a%2f%2f")',
    'http.path = /etc/passwd or http.path contains "/../"',
    'http.method = GET and http.query[q] contains "a|b"',
    'http.path in ("/a;b", "/c|d")',
  ])
    assert.equal(reads(`evt.type = http_request and (${condition})`), false, condition);
  assert.equal(reads('evt.type = execve and http.method exists'), false);
});

test('the rules that come with the program leave plain requests unread', () => {
  const folder = join(import.meta.dirname, '..', '..', '..', 'rules');
  const texts = listRuleFiles(folder).map((file) => readFileSync(file, 'utf8'));
  assert.ok(texts.length > 0);
  assert.deepEqual(
    rulesOnPlainRequests(rulesOf(...texts)).map(({ name }) => name),
    [],
  );
});

test('all else does', () => {
  for (const condition of [
    'http.path = /admin',
    'http.path endswith anyof (/x, "/a;b")',
    'http.target contains "a?b="',
    'http.target startswith "/a"',
    'http.target contains "etc/passwd"',
    'http.query[q] = "a b"',
    'http.user_agent contains "sqlmap/1 (x)"',
    'not http.target contains "${"',
    'http.target != "${"',
    'http.target regex "[$].*"',
    'http.target contains "${" or http.method = POST',
    'http.path contains val(http.host)',
    'http.status = 200',
    'tolower(http.target) contains "${"',
  ])
    assert.equal(reads(`evt.type in (http_request, http_response) and (${condition})`), true, condition);
});
