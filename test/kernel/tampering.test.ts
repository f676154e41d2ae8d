/** What is done to the agent itself is told by the agent, or by the next one. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { requireKernel } from '../support/kernel.ts';
import { startThroughline, type JsonMessage } from '../support/throughline.ts';

requireKernel();

const PYTHON = '/usr/bin/python3';
/** In which whatever is the agent's own is looked at once more. */
const LOOK_MS = 1200;

/** Runs it in a process that did not start the agent. Resolves to its id. */
async function python(source: string): Promise<number> {
  const child = spawn(PYTHON, ['-c', source], { stdio: 'inherit' });
  await new Promise((done) => child.once('close', done));
  return child.pid ?? 0;
}

/** Ways into the maps of the agent, by their names: what a program with the rights to load BPF programs can do. */
const MAPS = `
import ctypes, os, struct
libc = ctypes.CDLL(None)
def bpf(command, attributes):
    memory = ctypes.create_string_buffer(attributes.ljust(128, b'\\0'), 128)
    return libc.syscall(321, command, memory, 128)
maps = {}
for name in os.listdir('/proc/AGENT/fdinfo'):
    for line in open(f'/proc/AGENT/fdinfo/{name}'):
        if line.startswith('map_id:'):
            map = bpf(14, struct.pack('<I', int(line.split()[1])))
            info = ctypes.create_string_buffer(96)
            assert bpf(15, struct.pack('<IIQ', map, 96, ctypes.addressof(info))) == 0
            maps[info.raw[24:40].rstrip(b'\\0').decode()] = (map, struct.unpack('<I', info.raw[12:16])[0])
def size(name): return maps[name][1]
def write(name, key, value):
    key, value = (ctypes.create_string_buffer(one, len(one)) for one in (struct.pack('<I', key), value))
    assert bpf(2, struct.pack('<IIQQQ', maps[name][0], 0, ctypes.addressof(key), ctypes.addressof(value), 0)) == 0
def remove(name, key):
    key = ctypes.create_string_buffer(struct.pack('<I', key), 4)
    assert bpf(3, struct.pack('<IIQ', maps[name][0], 0, ctypes.addressof(key))) == 0
`;

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

  for (const [way, source, expected] of [
    ['by a thread of it', 'libc.syscall(200, threads[-1], signal.SIGSTOP)', /a signal/],
    ['by a descriptor', 'libc.syscall(424, libc.syscall(434, agent, 0), signal.SIGSTOP, 0, 0)', /a signal/],
    ['to set a limit of it', 'libc.syscall(302, agent, 4, struct.pack("QQ", 0, 0), None)', /prlimit/],
    ['to get its files', 'libc.syscall(438, libc.syscall(434, agent, 0), 3, 0)', /pidfd_getfd/],
  ] as const)
    test(`reaches it ${way}`, async () => {
      await using agent = await startThroughline(['run', '--json']);
      await python(`
import ctypes, os, signal, struct, time
libc = ctypes.CDLL(None)
agent = ${agent.pid}
threads = sorted(int(name) for name in os.listdir(f'/proc/{agent}/task'))
assert ${source} >= 0
time.sleep(0.3)
os.kill(agent, signal.SIGCONT)
`);
      const finding = await agent.waitFor((one) => isTampering(one) && one['severity'] === 'critical');
      assert.match(String(finding['title']), expected);
      await agent.stop();
    });

  for (const [way, source, expected] of [
    [
      'wipes their variables',
      "write('throughl.bss', 0, bytes(size('throughl.bss')))",
      /which system calls are wanted|variable/,
    ],
    ['takes one away', "remove('syscall_exits', 62)", /the program of kill/],
    [
      'tells them to be silent',
      "write('action_plans', 62, bytes(size('action_plans')))",
      /what is told of kill/,
    ],
  ] as const)
    test(`writes into the maps of its programs and ${way}: told, and put right`, async () => {
      await using agent = await startThroughline(['run', '--json']);
      await python(MAPS.replaceAll('AGENT', String(agent.pid)) + source);
      const finding = await agent.waitFor(isTampering);
      assert.match(String(finding['title']), /Somebody changed what is Throughline's own/);
      const evidence = finding['evidence'] as { value: string }[];
      assert.ok(
        evidence.some(({ value }) => expected.test(value)),
        JSON.stringify(evidence),
      );
      // What was still being written at the first look is put right at the next. Then it sees again.
      await sleep(LOOK_MS);
      const looks = agent.messages.filter(isTampering).length;
      await python(`import os; os.kill(${agent.pid}, 18)`);
      await agent.waitFor((one) => isTampering(one) && /a signal/.test(String(one['title'])));
      await agent.stop();
      assert.ok(looks <= 2, `${looks} findings of one change`);
      assert.equal(agent.messages.filter(isTampering).length, looks + 1);
    });

  test('kills it: the next one tells', async () => {
    const first = await startThroughline(['run', '--json']);
    process.kill(first.pid, 'SIGKILL');
    await first.ended();
    await using next = await startThroughline(['run', '--json']);
    const finding = await next.waitFor(isTampering);
    assert.match(String(finding['title']), new RegExp(`killed: process ${first.pid}, started \\S+, ended`));
    const { stderr } = await next.stop();
    assert.match(
      stderr,
      new RegExp(`agent with process id ${first.pid}, started \\S+, ended without a word`),
    );
    await using last = await startThroughline(['run', '--json']);
    assert.doesNotMatch((await last.stop()).stderr, /without a word/);
  });
});
