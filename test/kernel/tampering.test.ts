/** What is done to the agent itself is told by the agent, or by the next one. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { suite, test } from 'node:test';
import { requireKernel } from '../support/kernel.ts';
import { startThroughline, type JsonMessage } from '../support/throughline.ts';

requireKernel();

const PYTHON = '/usr/bin/python3';

/** Runs it in a process that did not start the agent. Resolves to its id. */
async function python(source: string): Promise<number> {
  const child = spawn(PYTHON, ['-c', source], { stdio: 'inherit' });
  await new Promise((done) => child.once('close', done));
  return child.pid ?? 0;
}

const isTampering = (message: JsonMessage): boolean =>
  message.kind === 'finding' && message['class'] === 'tampering';

suite('who tampers with the agent', () => {
  test('stops it: told when it goes on', async () => {
    await using agent = await startThroughline(['run', '--json']);
    const pid = await python(`
import os, signal, time
os.kill(${agent.pid}, 0)
os.kill(${agent.pid}, signal.SIGSTOP)
time.sleep(0.3)
os.kill(${agent.pid}, signal.SIGCONT)
`);
    const finding = await agent.waitFor(isTampering);
    assert.equal(finding['verdict'], 'SUSPICIOUS');
    assert.equal(finding['severity'], 'critical');
    assert.equal((finding['process'] as { pid: number }).pid, pid);
    const effect = finding['effect'] as { action: string; arguments: Record<string, unknown> };
    assert.equal(effect.action, 'signal');
    assert.deepEqual(effect.arguments, { target: agent.pid, signal: 'SIGSTOP' });
    // Who has started it, this test, may tell it to end.
    await agent.stop();
    assert.equal(agent.messages.filter(isTampering).length, 1);
  });

  test('traces it', async () => {
    await using agent = await startThroughline(['run', '--json']);
    await python(`
import ctypes, os
libc = ctypes.CDLL(None)
libc.ptrace(0x4206, ${agent.pid}, 0, 0)
`);
    const finding = await agent.waitFor(isTampering);
    assert.match(String(finding['title']), /ptrace/);
    await agent.stop();
  });

  test('kills it: the next one tells', async () => {
    const first = await startThroughline(['run', '--json']);
    await first.kill();
    await using next = await startThroughline(['run', '--json']);
    const { stderr } = await next.stop();
    assert.match(
      stderr,
      new RegExp(`agent with process id ${first.pid}, started \\S+, ended without a word`),
    );
    await using last = await startThroughline(['run', '--json']);
    assert.doesNotMatch((await last.stop()).stderr, /without a word/);
  });
});
