import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startThroughline } from './throughline.ts';

/** Starts a made-up agent, so that this file needs no root. */
function start(source: string): ReturnType<typeof startThroughline> {
  return startThroughline([], { command: [process.execPath, '-e', source], attachTimeoutMs: 5000 });
}

const ATTACHED = `console.error('throughline: attached');`;
const STAY = `setInterval(() => {}, 1000);`;
const CLEAN_EXIT = `process.on('SIGTERM', () => process.exit(0));`;

test('collects messages and finds those that were and those that will be printed', async () => {
  await using agent = await start(`
    ${CLEAN_EXIT} ${STAY}
    console.log(JSON.stringify({ kind: 'request', id: 1 }));
    console.log('not json');
    ${ATTACHED}
    setTimeout(() => console.log(JSON.stringify({ kind: 'finding', id: 2 })), 100);`);
  assert.equal((await agent.waitFor(({ kind }) => kind === 'finding'))['id'], 2);
  assert.equal((await agent.waitFor(({ id }) => id === 1)).kind, 'request');
  assert.deepEqual(agent.otherLines, ['not json']);
  assert.equal(agent.ofKind('finding').length, 1);
  await assert.rejects(
    agent.waitFor(({ id }) => id === 3, 50),
    /no such message after 50 ms; the last of 2/,
  );
  assert.equal((await agent.stop()).code, 0);
});

test('waiting for a message of an agent that ends is an error at once', async () => {
  await using agent = await start(`${ATTACHED} setTimeout(() => process.exit(9), 50);`);
  await assert.rejects(
    agent.waitFor(({ id }) => id === 3, 30_000),
    /ended with 9; the last of 0/,
  );
  assert.ok(agent.hasEnded);
});

test('the started message also means attached', async () => {
  await using agent = await start(`${CLEAN_EXIT} ${STAY} console.log('{"kind":"started"}');`);
  await agent.stop();
});

test('an agent that ends before it is attached is an error with its stderr', async () => {
  await assert.rejects(
    start(`console.error('TL-123: no BTF'); process.exit(3);`),
    /ended with 3 [^]*TL-123: no BTF/,
  );
});

test('an agent that never attaches is an error', async () => {
  const command: [string, ...string[]] = [process.execPath, '-e', STAY];
  await assert.rejects(startThroughline([], { command, attachTimeoutMs: 200 }), /not attached after 200 ms/);
});

test('an unclean end after SIGTERM is an error', async () => {
  await using agent = await start(`process.on('SIGTERM', () => process.exit(7)); ${STAY} ${ATTACHED}`);
  await assert.rejects(agent.stop(), /ended with 7 after SIGTERM/);
});

test('a command that ends by itself reports how', async () => {
  await using agent = await start(`${ATTACHED} console.log('{"kind":"summary"}');`);
  const { code, signal } = await agent.ended();
  assert.deepEqual([code, signal, agent.ofKind('summary').length], [0, null, 1]);
});
