import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import type { RequestView } from '../src/output/views.ts';
import { displayWidth } from '../src/output/text/width.ts';
import { FIXTURES, recordingPath } from './support/fixtures.ts';
import { throughline } from './support/replay.ts';
import {
  terminalOf,
  traceGoldenOf,
  traceGoldenPath,
  traceMessagesOf,
  traceText,
} from './support/trace-text.ts';

// oxlint-disable-next-line no-control-regex
const PAINT = /\x1b\[[\d;]*m/g;

suite('traces of recordings', () => {
  for (const { name } of FIXTURES) {
    const messages = traceMessagesOf(name);

    test(`${name}: reads as it did before (node test/update-fixtures.ts golden)`, () => {
      assert.equal(traceGoldenOf(name), readFileSync(traceGoldenPath(name), 'utf8'));
    });

    test(`${name}: no line is wider than the terminal, whatever its width`, () => {
      for (const columns of [1, 20, 33, 60, 80, 119, 200])
        for (const utf8 of [true, false])
          for (const line of traceText(messages, terminalOf(columns, { utf8 })).split('\n'))
            assert.ok(displayWidth(line) <= Math.max(columns, 1), `${columns}: ${line}`);
    });

    test(`${name}: colors of any depth change nothing but colors, and every color ends`, () => {
      const plain = traceText(messages, terminalOf(90));
      for (const color of ['1', '2', '3'] as const) {
        const text = traceText(messages, terminalOf(90, { color }));
        assert.equal(text.replace(PAINT, ''), plain);
        for (const line of text.split('\n')) {
          const codes = line.match(PAINT) ?? [];
          assert.equal(codes.length % 2, 0, JSON.stringify(line));
        }
      }
    });

    test(`${name}: without UTF-8 everything is ASCII`, () => {
      assert.match(traceText(messages, terminalOf(80, { utf8: false }), true), /^[\n\x20-\x7e]*$/);
    });
  }
});

suite('filters on a replay', () => {
  const requests = (name: string, ...options: string[]): RequestView[] => {
    const { code, messages, stderr } = throughline(['replay', recordingPath(name), '--json', ...options]);
    assert.equal(code, 0, stderr);
    return messages.filter(({ kind }) => kind === 'request') as unknown as RequestView[];
  };
  const targets = (name: string, ...options: string[]): string[] =>
    requests(name, ...options).map(({ target }) => target.split('?')[0] ?? '');

  test('each of them, and all together', () => {
    assert.deepEqual(targets('demo', '--path', '/safe/'), ['/safe/ping', '/safe/ping', '/safe/file']);
    assert.deepEqual(targets('demo', '--path', '/**/file', '--status', '2xx'), ['/file', '/file']);
    assert.deepEqual(targets('demo', '--status', '403,5xx'), ['/safe/ping', '/safe/file']);
    assert.deepEqual(targets('demo', '--has', 'connect', '--has', 'exec', '--path', '/ping'), ['/ping']);
    assert.deepEqual(targets('demo', '--method', 'post'), []);
    assert.deepEqual(targets('demo', '--container', 'c0'), []);
    assert.equal(requests('demo', '--pid', String(requests('demo', '--trace')[0]?.server.pid)).length, 9);
    const slow = requests('demo', '--trace').filter(({ durationMs }) => (durationMs ?? 0) >= 10);
    assert.ok(slow.length > 0);
    assert.deepEqual(requests('demo', '--min-duration', '0.01s'), slow);
  });

  test('what comes with a filter is what came without it', () => {
    const all = requests('apache-cgi', '--trace').filter(({ effects }) =>
      effects.some((effect) => effect.type === 'open' && effect.write),
    );
    assert.deepEqual(requests('apache-cgi', '--has', 'write'), all);
  });

  test('--summary counts by route', () => {
    const { messages } = throughline(['replay', recordingPath('apache-cgi'), '--summary', '--json']);
    const rows = messages.filter(({ kind }) => kind === 'route');
    assert.deepEqual(
      rows.map(({ method, route, requests: count }) => [method, route, count]),
      [
        ['GET', '/work', 12],
        ['GET', '/', 1],
      ],
    );
  });
});
