import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EngineMessage } from '../cli/contract.ts';
import { MessageBatch } from './message-batch.ts';

function message(events: number): EngineMessage {
  return { kind: 'progress', events, recordedBytes: 0, position: null };
}

test('messages are posted together, in order, and only when there are some', () => {
  const posts: (readonly EngineMessage[])[] = [];
  const batch = new MessageBatch((messages) => posts.push(messages));
  batch.flush();
  assert.equal(posts.length, 0);
  batch.add(message(1));
  batch.add(message(2));
  assert.equal(posts.length, 0);
  batch.flush();
  batch.flush();
  assert.deepEqual(posts, [[message(1), message(2)]]);
});

test('too many are posted at once', () => {
  const sizes: number[] = [];
  const batch = new MessageBatch((messages) => sizes.push(messages.length));
  for (let index = 0; index < 1500; index++) batch.add(message(index));
  batch.flush();
  assert.deepEqual(sizes, [512, 512, 476]);
});

test('what is added while a post goes out comes with the next', () => {
  const posts: (readonly EngineMessage[])[] = [];
  const batch: MessageBatch = new MessageBatch((messages) => {
    posts.push(messages);
    if (posts.length === 1) batch.add(message(2));
  });
  batch.add(message(1));
  batch.flush();
  batch.flush();
  assert.deepEqual(posts, [[message(1)], [message(2)]]);
});
