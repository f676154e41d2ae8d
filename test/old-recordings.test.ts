import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { RecordingCapture } from '../src/capture/recording.ts';
import type { FindingView, RequestView } from '../src/output/views.ts';
import { createBrain } from './support/brain.ts';

/** Recordings of the demo as versions of long ago made them, each named after the layout that its header tells. */
const FOLDER = join(import.meta.dirname, 'fixtures/old-recordings');

suite('recordings of earlier versions', () => {
  for (const file of readdirSync(FOLDER))
    test(`${file}: the attacks in it are found, and its requests are whole`, () => {
      const { pipeline, messages } = createBrain();
      using recording = new RecordingCapture(join(FOLDER, file));
      assert.equal(file, `${recording.header.abi}.tlrec`);
      while (recording.step(pipeline, 1000));
      pipeline.end();
      assert.deepEqual(pipeline.decoder.counters, { unknownKind: 0, unknownVersion: 0, malformed: 0 });
      const findings = messages.filter(({ kind }) => kind === 'finding') as unknown as FindingView[];
      assert.deepEqual(
        findings.map(({ verdict, request }) => `${verdict} ${request?.target.split('?')[0]}`).toSorted(),
        ['EXPLOITED /file', 'EXPLOITED /ping', 'PROBED /safe/file', 'PROBED /safe/ping'],
      );
      const requests = messages.filter(({ kind }) => kind === 'request') as unknown as RequestView[];
      assert.equal(requests.length, 9);
      const attack = requests.find(({ target }) => target.startsWith('/ping') && target.includes('id'));
      const programs = attack?.effects.filter((effect) => effect.type === 'exec') ?? [];
      assert.ok(programs.some(({ argv, grade }) => argv.join(' ') === 'id' && grade === 'exact'));
      assert.ok(attack?.effects.some((effect) => effect.type === 'exit' && effect.grade === 'exact'));
    });
});
