import assert from 'node:assert/strict';
import { test } from 'node:test';
import { summarize } from './agent.ts';

test('the summary message on stdout says it all', () => {
  const messages = [
    { kind: 'loss', reasons: { 'ring-full': 2 } },
    { kind: 'summary', events: 120, losses: { 'ring-full': 3 } },
  ];
  assert.deepEqual(summarize(messages, ''), { events: 120, losses: { 'ring-full': 3 } });
});

test('a summary as JSON on stderr does as well', () => {
  const stderr = 'throughline: attached\n{"events":7,"requests":1,"losses":{}}\n';
  assert.deepEqual(summarize([], stderr), { events: 7, losses: {} });
});

test('the closing sentence for people does, too', () => {
  const started = 'attached in 0.8 s\n12:00:00  lost events: payload ring full 9\n';
  assert.deepEqual(summarize([], `${started}3.2 s: 12,345 events, 1 request, 0 findings, nothing lost\n`), {
    events: 12_345,
    losses: {},
  });
  const lost = '3.2 s: 1 event, 0 requests, 0 findings, lost: payload ring full 1,030, event cut 4\n';
  assert.deepEqual(summarize([], started + lost), {
    events: 1,
    losses: { 'payload ring full': 1030, 'event cut': 4 },
  });
});

test('without a summary, messages about losses are added up', () => {
  const messages = [
    { kind: 'loss', reasons: { 'ring-full': 2 } },
    { kind: 'loss', reasons: { 'ring-full': 5, shed: 1 } },
  ];
  assert.deepEqual(summarize(messages, ''), { events: null, losses: { 'ring-full': 7, shed: 1 } });
});

test('without any word nothing is claimed', () => {
  assert.deepEqual(summarize([], 'attached\n'), { events: null, losses: null });
});
