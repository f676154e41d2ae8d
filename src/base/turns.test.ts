import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Turns } from './turns.ts';

test('answers that were lost are over when the client goes on asking', () => {
  const turns = new Turns(false);
  assert.equal(turns.clientSpeaks(), false);
  turns.serverSpeaks();
  turns.isServerLost = true;
  assert.equal(turns.clientSpeaks(), true);
  assert.deepEqual([turns.isServerLost, turns.isServerUnsure], [false, true]);
  assert.equal(turns.clientSpeaks(), false, 'only once');
});

test('more of the same question changes nothing', () => {
  const turns = new Turns(false);
  turns.isServerLost = true;
  assert.equal(turns.clientSpeaks(), false);
  assert.equal(turns.isServerLost, true);
});

test('a client that was lost while the server was silent has asked what will be answered', () => {
  const turns = new Turns(false);
  turns.loseClient();
  turns.findClient();
  assert.deepEqual([turns.isClientLost, turns.isServerLost], [false, true]);
});

test('but nothing is to come where the server has answered meanwhile', () => {
  const turns = new Turns(false);
  turns.loseClient();
  turns.serverSpeaks();
  turns.findClient();
  assert.deepEqual([turns.isClientLost, turns.isServerLost], [false, false]);
});
