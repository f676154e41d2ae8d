import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ExecDetails } from '../../model/exec-details.ts';
import type { Process } from '../../model/process.ts';
import { makeDetails } from '../../model/testing.ts';
import { isTrue, load, makeEvent, makeProcess, ruleText } from '../testing.ts';
import { capabilityNames } from './capability-names.ts';
import { EXEC_FIELDS } from './exec-fields.ts';
import { terminalNumber } from './terminal-number.ts';

const withDetails = (details: Partial<ExecDetails>, changes: Partial<Process> = {}): Process =>
  makeProcess({ details: makeDetails(details), ...changes });

function check(process: Process | null, trues: readonly string[], falses: readonly string[] = []): void {
  const event = makeEvent({ process });
  for (const condition of trues) assert.equal(isTrue(condition, event), true, condition);
  for (const condition of falses) assert.equal(isTrue(condition, event), false, condition);
}

/** What a field prints. */
function printed(field: string, process: Process): string | undefined {
  const text = ruleText('evt.type = execve').replace('output: o', `output: "%${field}"`);
  const event = makeEvent({ process });
  return load(text).rules[0]?.output.format(event);
}

test('a process that was there before the agent has no value of any, nor has none', () => {
  assert.equal(EXEC_FIELDS.length, 25);
  for (const { name } of EXEC_FIELDS) {
    check(makeProcess(), [], [`${name} exists`]);
    check(makeProcess({ details: null }), [], [`${name} exists`]);
    check(null, [], [`${name} exists`]);
  }
});

describe('proc.tty', () => {
  test('is the device number of the terminal, 0 for none', () => {
    check(withDetails({}), ['proc.tty = 0', 'proc.tty exists'], ['proc.tty != 0']);
    check(withDetails({ terminal: 'pts3' }), ['proc.tty = 34819', 'proc.tty != 0']);
    assert.equal(printed('proc.tty', withDetails({ terminal: 'pts0' })), '34816');
  });

  test('is a number that is not told for a terminal of an unknown kind', () => {
    const process = withDetails({ terminal: 'ttyXYZ1' });
    check(process, ['proc.tty != 0', 'proc.tty exists'], ['proc.tty = 0', 'proc.tty = 1']);
    assert.equal(printed('proc.tty', process), '<NA>');
  });

  test('numbers are those of the kernel', () => {
    assert.equal(terminalNumber('tty1'), 0x401);
    assert.equal(terminalNumber('ttyS0'), 0x440);
    assert.equal(terminalNumber('ttyAMA0'), 0xcc40);
    // Minor numbers beyond 255 go on above the major one.
    assert.equal(terminalNumber('pts256'), 0x10_8800);
    for (const name of ['', 'pts', '3', 'pts-1', 'pts9999999', 'pts3\n', 'constructor1'])
      assert.equal(terminalNumber(name), Infinity, name);
  });
});

describe('sessions and process groups', () => {
  const daemon = withDetails(
    { session: 5, processGroup: 5 },
    { pid: 5, comm: 'sshd', argv: ['/usr/sbin/sshd', '-D'], executable: '/usr/sbin/sshd' },
  );
  const leader = withDetails(
    { session: 50, processGroup: 50 },
    { pid: 50, comm: 'bash', argv: ['-bash'], executable: '/usr/bin/bash', parent: daemon },
  );
  const middle = withDetails(
    { session: 50, processGroup: 60 },
    { pid: 60, comm: 'make', argv: ['make'], parent: leader },
  );
  const process = withDetails({ session: 50, processGroup: 60 }, { pid: 61, parent: middle });

  test('ids and leaders', () => {
    check(process, [
      'proc.sid = 50',
      'proc.sname = bash',
      'proc.sid.exe = -bash',
      'proc.sid.exepath = /usr/bin/bash',
      'proc.is_sid_leader = false',
      'proc.pgid = 60',
      'proc.pgid.name = make',
      'proc.pgid.exe = make',
      'proc.pgid.exepath = /usr/bin/cat',
      'proc.is_pgid_leader = false',
      'proc.vpgid.name = make',
      'proc.vpgid.exe = make',
      'proc.vpgid.exepath = /usr/bin/cat',
      'proc.is_vpgid_leader = false',
    ]);
    check(leader, ['proc.is_sid_leader = true', 'proc.is_pgid_leader = true', 'proc.is_vpgid_leader = true']);
    check(leader, ['proc.sname = bash', 'proc.pgid.name = bash']);
  });

  test('of a session whose leader is not known any more, the first process that is', () => {
    const orphan = withDetails({ session: 70 }, { pid: 71, comm: 'sh', parent: daemon });
    const child = withDetails({ session: 70 }, { pid: 72, parent: orphan });
    check(child, ['proc.sname = sh', 'proc.sid = 70']);
    check(orphan, ['proc.sname = sh']);
  });

  test('a leader of the group that is a sibling is not known', () => {
    const sibling = withDetails({ processGroup: 80 }, { pid: 81, parent: leader });
    check(sibling, ['proc.pgid = 80'], ['proc.pgid.name exists', 'proc.vpgid.exe exists']);
  });

  test('what the kernel started has session 0, and no leader', () => {
    check(
      withDetails({ session: 0, processGroup: 0 }),
      ['proc.sid = 0'],
      ['proc.sname exists', 'proc.pgid.name exists'],
    );
  });

  test('ancestors that go in a circle are an end', () => {
    const circle = withDetails({ session: 90, processGroup: 90 }) as Process & { parent: Process };
    circle.parent = circle;
    check(circle, ['proc.sname = cat'], ['proc.pgid.name exists']);
  });
});

describe('the executable file', () => {
  test('is in the upper layer of an overlay, in a lower one, or on none', () => {
    const fileSystem = 0x794c7630;
    const upper = 'proc.is_exe_upper_layer = true';
    const lower = 'proc.is_exe_lower_layer = true';
    check(withDetails({ fileSystem, isUpperLayer: true }), [upper, 'proc.is_exe_lower_layer = false']);
    check(withDetails({ fileSystem }), [lower, 'proc.is_exe_upper_layer = false']);
    check(withDetails({}), ['proc.is_exe_upper_layer = false', 'proc.is_exe_lower_layer = false']);
  });

  test('is from memory: as the kernel tells, and not as a path looks', () => {
    const isFromMemory = 'proc.is_exe_from_memfd = true';
    check(withDetails({ isMemoryFile: true }), [isFromMemory]);
    check(withDetails({}, { executable: '/memfd:x' }), [], [isFromMemory]);
    check(makeProcess({ executable: '/memfd:x (deleted)' }), [isFromMemory]);
    check(makeProcess({ executable: '' }), [], ['proc.is_exe_from_memfd exists']);
  });

  test('times are nanoseconds since the epoch', () => {
    const process = withDetails({ changeTimeMs: 1_700_000_000_250, modificationTimeMs: 1_600_000_000_125.5 });
    check(process, ['proc.exe_ino.ctime = 1700000000250000000', 'proc.exe_ino.mtime = 1600000000125500000']);
    check(
      withDetails({ changeTimeMs: 0, modificationTimeMs: 0 }),
      [],
      ['exe_ino.ctime', 'exe_ino.mtime', 'exe_ino.ctime_duration_proc_start'].map(
        (name) => `proc.${name} exists`,
      ),
    );
  });

  test('it was changed so long before the process started', () => {
    // The process started 10 s before the event, at 1 699 999 990 123.25 ms.
    const changedFor = (changeTimeMs: number) => withDetails({ changeTimeMs });
    const field = 'proc.exe_ino.ctime_duration_proc_start';
    check(changedFor(1_699_999_989_123.25), [`${field} > 999999000`, `${field} < 1000001000`]);
    check(changedFor(1_699_999_991_000), [`${field} = 0`]);
  });
});

describe('who runs it', () => {
  test('capabilities are told by name', () => {
    const capabilities = { effective: 2 ** 40 + 2 ** 21 + 1, permitted: 2 ** 5, inheritable: 0 };
    const process = withDetails({ capabilities });
    check(process, [
      'thread.cap_effective = "CAP_CHOWN CAP_SYS_ADMIN CAP_CHECKPOINT_RESTORE"',
      'thread.cap_effective contains CAP_SYS_ADMIN',
      'thread.cap_permitted = CAP_KILL',
      'thread.cap_inheritable = ""',
    ]);
    assert.equal(printed('thread.cap_permitted', process), 'CAP_KILL');
  });

  test('every capability has its number', () => {
    // Of include/uapi/linux/capability.h, some of each end.
    const numbers = {
      DAC_OVERRIDE: 1,
      NET_RAW: 13,
      SYS_PTRACE: 19,
      AUDIT_CONTROL: 30,
      SETFCAP: 31,
      MAC_OVERRIDE: 32,
      BPF: 39,
    };
    for (const [name, bit] of Object.entries(numbers)) assert.equal(capabilityNames(2 ** bit), `CAP_${name}`);
    assert.equal(capabilityNames(0x1ff_ffff_ffff).split(' ').length, 41);
    // One that is newer than the names, and more sets than are remembered.
    assert.equal(capabilityNames(2 ** 45), '');
    for (let set = 0; set < 200; set++)
      assert.equal(capabilityNames(set * 2 + 1).startsWith('CAP_CHOWN'), true);
  });

  test('the user who logged in, -1 for none', () => {
    const jo = withDetails({ loginUid: 1000 }, { uid: 0, userName: 'root', loginName: 'jürgen' });
    check(jo, ['user.loginuid = 1000', 'user.loginname = jürgen', 'user.name = root']);
    check(withDetails({}), ['user.loginuid = -1'], ['user.loginname exists']);
    check(withDetails({ loginUid: 1001 }), ['user.loginuid = 1001'], ['user.loginname exists']);
  });
});
