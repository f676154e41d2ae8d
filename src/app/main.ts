import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { printableText } from '../base/printable.ts';
import { processEnvironment } from '../cli/environment.ts';
import { main } from '../cli/main.ts';
import { createEngine } from './engine.ts';

/** The program: real process, real engine. */
const root = fileURLToPath(new URL('../..', import.meta.url));
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
const engine = createEngine({
  root,
  version,
  warn: (text) => {
    for (const line of text.split('\n')) process.stderr.write(`throughline: ${printableText(line)}\n`);
  },
});
const rules = join(root, 'rules');
process.exitCode = await main(
  process.argv.slice(2),
  processEnvironment(process, engine, version, existsSync(rules) ? rules : null),
);
