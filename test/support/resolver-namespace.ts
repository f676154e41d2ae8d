import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Every name under `test` has these addresses there. */
export const RESOLVED_IPV4 = '192.0.2.7';
export const RESOLVED_IPV6 = '2001:db8::7';

/** A network namespace with nothing but a loopback interface, a dnsmasq on it, and a resolv.conf that names it. */
export class ResolverNamespace implements AsyncDisposable {
  readonly #name = `throughline-dns-${process.pid}`;
  readonly #children: ChildProcess[] = [];

  static async make(): Promise<ResolverNamespace> {
    const namespace = new ResolverNamespace();
    try {
      await namespace.#begin();
      return namespace;
    } catch (error) {
      await namespace[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Starts a program in it; it ends with the namespace. */
  start(program: string, args: readonly string[]): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', this.#name, program, ...args], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    this.#children.push(child);
    return child;
  }

  /** Runs a program in it to its end. */
  async run(program: string, args: readonly string[]): Promise<string> {
    const child = spawn('ip', ['netns', 'exec', this.#name, program, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    const code = await new Promise((done) => child.once('close', done));
    if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${String(code)}: ${output}`);
    return output;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = new Promise((done) => child.once('close', done));
      child.kill('SIGKILL');
      await ended;
    }
    rmSync(`/etc/netns/${this.#name}`, { recursive: true, force: true });
    execFileSync('ip', ['netns', 'delete', this.#name]);
  }

  async #begin(): Promise<void> {
    execFileSync('ip', ['netns', 'add', this.#name]);
    execFileSync('ip', ['-n', this.#name, 'link', 'set', 'lo', 'up']);
    mkdirSync(`/etc/netns/${this.#name}`, { recursive: true });
    writeFileSync(`/etc/netns/${this.#name}/resolv.conf`, 'nameserver 127.0.0.1\n');
    writeFileSync(`/etc/netns/${this.#name}/nsswitch.conf`, 'hosts: files dns\n');
    this.start('dnsmasq', [
      '--keep-in-foreground',
      '--conf-file=/dev/null',
      '--pid-file=',
      '--user=root',
      '--no-resolv',
      '--no-hosts',
      '--listen-address=127.0.0.1',
      '--bind-interfaces',
      `--address=/test/${RESOLVED_IPV4}`,
      `--address=/test/${RESOLVED_IPV6}`,
    ]);
    for (let attempt = 0; attempt < 50; attempt++) {
      const answer = await this.run('getent', ['ahosts', 'ready.test']).catch(() => '');
      if (answer.includes(RESOLVED_IPV4)) return;
      await sleep(100);
    }
    throw new Error('dnsmasq does not answer');
  }
}
