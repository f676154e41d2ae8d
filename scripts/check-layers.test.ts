import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkLayers } from './check-layers.ts';

/** The messages about one file. */
function check(path: string, source: string): string[] {
  return checkLayers(new Map([[path, source]])).map((violation) => violation.message);
}

const allowed: [path: string, source: string][] = [
  ['src/model/event.ts', `import { ok } from '../base/result.ts';`],
  ['src/model/event.ts', `import type { Request } from './request.ts';`],
  [
    'src/protocols/http1/parser.ts',
    `import { take } from '../../base/bytes.ts';\nimport { fields } from './fields.ts';`,
  ],
  ['src/protocols/http1/index.ts', `import type { Protocol } from '../contract.ts';`],
  ['src/protocols/http2/message.ts', `import { inputs } from '../http/inputs.ts';`],
  ['src/protocols/http/inputs.ts', `import { take } from '../../base/bytes.ts';`],
  [
    'src/detect/exploit/shell.test.ts',
    `import appsec from '@datadog/native-appsec';\nimport { lines } from '../lines.ts';`,
  ],
  ['src/detect/rules/index.ts', `import { compile } from '../../rules/compiler.ts';`],
  [
    'src/store/contract.test.ts',
    `import { memory } from './memory/index.ts';\nimport { test } from 'node:test';`,
  ],
  ['src/kernel/libbpf.ts', `import koffi from 'koffi';\nimport { Worker } from 'node:worker_threads';`],
  [
    'src/capture/live.ts',
    `import { load } from '../kernel/load.ts';\nimport { readFileSync } from 'node:fs';`,
  ],
  [
    'src/cli/help.ts',
    `import type { Store } from '../store/contract.ts';\nimport type { A } from '../api/contract/a.ts';`,
  ],
  ['src/app/main.ts', `import { load } from '../kernel/load.ts';\nimport './pipeline.ts';`],
  [
    'src/rules/lexer.test.ts',
    `import fc from 'fast-check';\nimport { readFileSync } from 'node:fs';\nDate.now();`,
  ],
  ['src/base/text.ts', `import { inspect } from 'node:util';\nconst at = new Date(0);`],
  ['src/base/text.ts', `/* import { x } from '../app/x.ts'; */\n// setTimeout(f)\nconst s = 'Date.now()';`],
  ['src/base/text.ts', "const quote = /['\"`]/;\nconst text = `\nimport x from '../app/x.ts'`;"],
  ['scripts/gen.ts', `import { main } from '../src/app/main.ts';`],
];

for (const [path, source] of allowed) {
  test(`${path} may: ${source.replaceAll('\n', ' ')}`, () => {
    assert.deepEqual(check(path, source), []);
  });
}

const forbidden: [path: string, source: string, message: RegExp][] = [
  ['src/base/clock.ts', `import type { Event } from '../model/event.ts';`, /base may import nothing/],
  ['src/model/event.ts', `import {\n  a,\n  b,\n} from '../kernel/load.ts';`, /model may import base/],
  ['src/model/event.ts', `export * from '../abi/events.gen.ts';`, /model may import base/],
  ['src/model/event.ts', `const later = import('../world/table.ts');`, /model may import base/],
  ['src/cli/run.ts', `import '../app/pipeline.ts';`, /app is imported by nobody/],
  [
    'src/cli/run.ts',
    `const url = new URL('../app/worker.ts', import.meta.url);`,
    /app is imported by nobody/,
  ],
  ['src/cli/run.ts', `import { x } from '../store/sqlite/index.ts';`, /cli may import/],
  [
    'src/protocols/http1/index.ts',
    `import { x } from '../dns/index.ts';`,
    /leaf protocols\/http1 must not .* protocols\/dns/,
  ],
  [
    'src/protocols/dns/parser.ts',
    `import { inputs } from '../http/inputs.ts';`,
    /leaf protocols\/dns must not .* protocols\/http/,
  ],
  [
    'src/protocols/http/inputs.ts',
    `import { x } from '../http1/parser.ts';`,
    /leaf protocols\/http must not .* protocols\/http1/,
  ],
  [
    'src/protocols/http1/index.ts',
    `import { x } from '../http2/parser.ts';`,
    /leaf protocols\/http1 must not .* protocols\/http2/,
  ],
  ['src/protocols/registry.ts', `import { x } from './dns/index.ts';`, /must not import its leaf dns/],
  ['src/protocols/http1/index.ts', `import { x } from '../../detect/contract.ts';`, /protocols may import/],
  [
    'src/detect/exploit/index.ts',
    `import { x } from '../../rules/compiler.ts';`,
    /detect may import base, model/,
  ],
  ['src/rules/lexer.test.ts', `import { x } from '../detect/contract.ts';`, /rules may import/],
  ['src/base/text.ts', `import { x } from './bytes';`, /must name the file/],
  ['src/base/text.ts', `import { x } from './bytes.js';`, /must name the file/],
  ['src/app/main.ts', `import { x } from '../../scripts/gen.ts';`, /from outside/],
  ['src/rules/files.ts', `import { readFileSync } from 'node:fs';`, /rules is pure: no 'node:fs'/],
  ['src/world/table.ts', `import { readFileSync } from 'fs';`, /must not import the package 'fs'/],
  ['src/world/table.ts', `import koffi from 'koffi';`, /must not import the package 'koffi'/],
  ['src/capture/live.ts', `import koffi from 'koffi';`, /must not import the package 'koffi'/],
  ['src/kernel/load.test.ts', `import { x } from 'zod';`, /must not import the package 'zod'/],
  ['src/base/clock.ts', `export const now = () => Date.now();`, /no Date\.now/],
  ['src/detect/behavior/index.ts', `const at = new Date();`, /no new Date/],
  ['src/attribution/index.ts', `setTimeout(() => {}, 10);`, /no setTimeout/],
  ['src/misc/index.ts', ``, /'misc' is no room/],
];

for (const [path, source, message] of forbidden) {
  test(`${path} must not: ${source.replaceAll('\n', ' ')}`, () => {
    const messages = check(path, source);
    assert.equal(messages.length, 1, messages.join('; '));
    assert.match(messages[0] ?? '', message);
  });
}

test('a violation names the line of the import', () => {
  const [violation] = checkLayers(
    new Map([['src/base/a.ts', `// why\n\nimport {\n  x,\n} from '../model/x.ts';\n`]]),
  );
  assert.equal(violation?.line, 3);
});
