import { strict as assert } from 'node:assert';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { processEnvironment } from './environment.ts';
import { MadeUpEngine } from './made-up-engine.ts';

class MadeUpStream extends EventEmitter {
  written = '';
  write(text: string): void {
    this.written += text;
  }
}

class MadeUpProcess extends EventEmitter {
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
  const environment = processEnvironment(process as unknown as NodeJS.Process, new MadeUpEngine(), '0.1.0');
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
