import { strict as assert } from 'node:assert';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { processEnvironment } from './environment.ts';
import { MadeUpEngine } from './made-up-engine.ts';

class MadeUpStream extends EventEmitter {
  isTTY = false;
  written = '';
  write(text: string): void {
    this.written += text;
  }
}

class MadeUpProcess extends EventEmitter {
  readonly stdin = new MadeUpStream();
  readonly stdout = new MadeUpStream();
  readonly stderr = new MadeUpStream();
  readonly env = {};
  readonly exits: number[] = [];
  exit(code: number): void {
    this.exits.push(code);
  }
}

function start() {
  const process = new MadeUpProcess();
  const given = process as unknown as NodeJS.Process;
  const environment = processEnvironment(given, new MadeUpEngine(), '0.1.0', null);
  return { process, environment };
}

test('the first signal ends cleanly, the second at once', () => {
  const { process, environment } = start();
  assert.equal(environment.signal.aborted, false);
  process.emit('SIGINT');
  assert.deepEqual([environment.signal.aborted, process.exits], [true, []]);
  process.emit('SIGINT');
  assert.deepEqual(process.exits, [130]);
});

test('a broken pipe ends it, and later writes say so', () => {
  const { process, environment } = start();
  environment.stdout('x');
  assert.equal(process.stdout.written, 'x');
  process.stdout.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
  assert.equal(environment.signal.aborted, true);
  assert.throws(() => environment.stdout('y'), { code: 'EPIPE' });
});

test('a closed stderr is no reason to end', () => {
  const { process, environment } = start();
  process.stderr.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
  assert.equal(environment.signal.aborted, false);
});

test('SIGHUP is for who listens to it; it ends a process that has a terminal, or that nobody listens in', () => {
  const { process, environment } = start();
  let count = 0;
  const end = environment.ruleGround.onHangup(() => count++);
  process.emit('SIGHUP');
  process.emit('SIGHUP');
  assert.deepEqual([count, environment.signal.aborted, process.exits], [2, false, []]);
  end();
  process.emit('SIGHUP');
  assert.deepEqual([count, environment.signal.aborted], [2, true]);

  const onTerminal = new MadeUpProcess();
  onTerminal.stdin.isTTY = true;
  const given = onTerminal as unknown as NodeJS.Process;
  const other = processEnvironment(given, new MadeUpEngine(), '0.1.0', null);
  other.ruleGround.onHangup(() => assert.fail('its terminal is gone'));
  onTerminal.emit('SIGHUP');
  assert.equal(other.signal.aborted, true);
});
