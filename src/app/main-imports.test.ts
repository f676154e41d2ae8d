import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const IMPORT = /^(?:import|export)\s+(?!type\b)[^;'"]*?from\s+'([^']+)'|^import\s+'([^']+)'/gm;

/** Packages that a module loads when it is imported, with the way to each. */
function packagesOf(
  path: string,
  way: readonly string[] = [],
  seen = new Set<string>(),
): Map<string, string> {
  const found = new Map<string, string>();
  if (seen.has(path)) return found;
  seen.add(path);
  for (const [, named, bare] of readFileSync(path, 'utf8').matchAll(IMPORT)) {
    const specifier = named ?? bare ?? '';
    const here = [...way, path.slice(path.indexOf('src/'))];
    if (!specifier.startsWith('.')) found.set(specifier, here.join(' > '));
    else
      for (const [name, to] of packagesOf(join(dirname(path), specifier), here, seen))
        if (!found.has(name)) found.set(name, to);
  }
  return found;
}

test('no command loads the readers of YAML and patterns unless it needs them: they take 15 MiB', () => {
  const packages = packagesOf(join(import.meta.dirname, 'main.ts'));
  assert.ok(packages.has('node:worker_threads'), 'imports are not found at all');
  for (const name of ['yaml', 're2js'])
    assert.equal(packages.get(name), undefined, `import() it where it is needed, or what imports it`);
  // The worker has yaml where rules are in use.
  const worker = packagesOf(join(import.meta.dirname, 'sensor-worker.ts'));
  for (const name of ['yaml', 're2js']) assert.equal(worker.get(name), undefined);
  assert.ok(packagesOf(join(import.meta.dirname, 'alerts/rule-side.ts')).has('yaml'));
});
