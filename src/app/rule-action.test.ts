import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { ACTION_LIST, argumentsOf } from '../model/actions.ts';
import type { ActionEffect } from '../model/effect.ts';
import type { ActionArgument } from '../model/event.ts';
import type { SyscallName } from '../model/syscalls.ts';
import { exactly, sampleContext, sampleProcess, sampleRequest } from '../output/sample-story.ts';
import { callsWithoutNames, RULE_CALLS } from '../rules/calls.ts';
import { isTrue, load, problemsOf, ruleText } from '../rules/testing.ts';
import { RuleEvents } from './rule-events.ts';

const events = new RuleEvents({ clock: sampleContext.clock, hostname: 'web1', architecture: 'x64' });

function effectOf(syscall: SyscallName, passed: readonly ActionArgument[], result = 0): ActionEffect {
  const call = RULE_CALLS.get(syscall);
  assert.ok(call, syscall);
  return {
    type: 'action',
    timeNs: 1,
    pid: 4211,
    tid: 4211,
    process: sampleProcess({ workingDirectory: '/srv/app' }),
    attribution: exactly(sampleRequest()),
    action: call.action,
    syscall,
    arguments: passed,
    isAimedAtAgent: false,
    result,
  };
}

function check(effect: ActionEffect, conditions: readonly string[]): void {
  const event = events.ofEffect(effect);
  assert.ok(event);
  for (const condition of conditions) assert.ok(isTrue(condition, event), condition);
}

test('every system call of the catalogue is an event of rules, with names for what it is passed', () => {
  assert.deepEqual(callsWithoutNames(), []);
  for (const { name, calls } of ACTION_LIST)
    for (const syscall of Object.keys(calls) as SyscallName[]) {
      const passed = argumentsOf(name, syscall).map(({ kind }) => (kind === 'number' ? 1 : '/x'));
      const event = events.ofEffect(effectOf(syscall, passed));
      assert.ok(event, syscall);
      for (const argument of event.argumentNames)
        assert.notEqual(event.argument(argument), null, `${syscall} ${argument}`);
      const type = RULE_CALLS.get(syscall)?.type ?? '';
      assert.deepEqual(problemsOf(load(ruleText(`evt.type = ${type}`)), 'warnings'), [], syscall);
      assert.ok(isTrue(`evt.type = ${type} and evt.rawres = 0 and req.grade = exact`, event), syscall);
    }
});

test('files are removed, renamed and linked', () => {
  check(effectOf('unlinkat', [0, '/etc/x', 0x200]), [
    'evt.type in (unlink, unlinkat) and fs.path.name = /etc/x and evt.arg.name = /etc/x',
    'evt.arg.flags = AT_REMOVEDIR and evt.rawarg.flags = 0x200 and evt.res = SUCCESS and evt.failed = false',
    'not evt.arg.dirfd exists and not fd.name exists',
  ]);
  check(effectOf('rename', ['/a', '/b']), [
    'fs.path.source = /a and fs.path.target = /b and not fs.path.name exists and evt.arg.newpath = /b',
  ]);
  // The new name of a link is its source.
  check(effectOf('link', ['/etc/shadow', '/tmp/l']), [
    'fs.path.source = /tmp/l and fs.path.target = /etc/shadow',
  ]);
  check(effectOf('symlinkat', ['../x', 0, '/srv/l']), [
    'evt.arg.target = ../x and fs.path.target = /srv/x and fs.path.source = /srv/l and evt.arg.linkpath = /srv/l',
  ]);
  check(effectOf('unlink', ['/etc/x'], -13), [
    'evt.arg.path = /etc/x and not fs.path.name exists and evt.res = EACCES and evt.arg.res = EACCES',
    'evt.failed = true and evt.rawres = -13 and evt.rawarg.res < 0',
  ]);
});

test('modes and flags have the names that rules know', () => {
  check(effectOf('chmod', ['/x', 0o4755]), [
    'evt.arg.mode contains S_ISUID and evt.arg.mode contains S_IXOTH and not evt.arg.mode contains S_ISGID',
    'evt.arg.filename = /x and evt.rawarg.mode >= 2048',
  ]);
  // A call of newer kernels is known as the one that rules know.
  check(effectOf('fchmodat2', [0, '/x', 0o2000, 0x100]), [
    'evt.type = fchmodat and evt.arg.mode = S_ISGID and evt.arg.filename = /x',
  ]);
  check(effectOf('mount', ['/dev/sda1', '/mnt', 'ext4', 4096 | 8]), [
    'evt.arg.flags contains BIND and evt.arg.flags = "NOEXEC|BIND" and fs.path.source = /dev/sda1',
    'fs.path.target = /mnt and evt.arg.type = ext4',
  ]);
  check(effectOf('umount2', ['/mnt', 2]), ['evt.arg.flags = DETACH and fs.path.name = /mnt']);
  check(effectOf('unshare', [0x10020000]), [
    'evt.arg.flags contains CLONE_NEWUSER and evt.arg.flags contains CLONE_NEWNS',
  ]);
  check(effectOf('ptrace', [16, 7]), [
    'evt.arg.request in (PTRACE_ATTACH, PTRACE_SEIZE) and evt.rawarg.pid = 7',
  ]);
  check(effectOf('kill', [7, 9]), ['evt.arg.sig = SIGKILL and evt.arg.pid = 7']);
  check(effectOf('setuid', [0]), ['evt.arg.uid = 0 and evt.rawarg.uid = 0']);
  check(effectOf('prctl', [38, 1]), ['evt.arg.option = PR_SET_NO_NEW_PRIVS']);
  check(effectOf('mprotect', [0x7f00, 4096, 7]), ['evt.arg.prot contains PROT_EXEC and evt.arg.addr = 7F00']);
  check(effectOf('bpf', [5], 9), ['evt.arg.cmd = BPF_PROG_LOAD and evt.arg.fd = 9']);
});

test('calls on descriptors name the file behind them', () => {
  check(effectOf('fchmod', ['/etc/x', 0o600]), [
    'fd.name = /etc/x and fs.path.name = /etc/x and fd.num >= 0',
  ]);
  check(effectOf('setns', ['[4026531840]', 0x20000000]), [
    'fd.name = "[4026531840]" and evt.arg.nstype = CLONE_NEWPID',
  ]);
  check(effectOf('dup2', ['/dev/null', 0]), ['fd.name = /dev/null and evt.arg.newfd = 0']);
  const address = '\x02\x00\x1f\x90\x00\x00\x00\x00' + '\0'.repeat(8);
  check(effectOf('bind', [0, address, 16]), [
    'fd.sip = 0.0.0.0 and fd.sport = 8080 and fd.lport = 8080 and fd.is_server = true',
    'evt.arg.addr = "0.0.0.0:8080"',
  ]);
  check(effectOf('bind', [0, '\x26\x00\x01', 3]), ['evt.type = bind and not fd.name exists']);
});
