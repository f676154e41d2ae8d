import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Frames } from './frames.ts';

/** Messages of two bytes of length (all of it, at least 2) and text. */
function reader(keptBytes = 100): { frames: Frames; told: string[] } {
  const told: string[] = [];
  const frames = new Frames({
    keptBytes,
    lengthAt: (bytes, start, end) => {
      if (bytes[start] !== 0) return 'none';
      if (end - start < 2) return 'more';
      return Math.max(2, bytes[start + 1] as number);
    },
    frame: (bytes, start, end, length) => {
      told.push(`${Buffer.from(bytes.subarray(start + 2, end)).toString()}/${length}`);
    },
  });
  return { frames, told };
}

const message = (text: string): Buffer =>
  Buffer.concat([Buffer.from([0, text.length + 2]), Buffer.from(text)]);

describe('frames', () => {
  const whole = Buffer.concat([message('one'), message(''), message('three')]);

  it('come the same however the stream is cut', () => {
    for (let cut = 0; cut <= whole.length; cut++) {
      for (let second = cut; second <= whole.length; second++) {
        const { frames, told } = reader();
        frames.read(whole.subarray(0, cut), 0);
        frames.read(whole.subarray(cut, second), 0);
        frames.read(whole.subarray(second), 0);
        assert.deepEqual(told, ['one/5', '/2', 'three/7']);
      }
    }
  });

  it('are skipped by their length where bytes are missing', () => {
    const { frames, told } = reader();
    frames.read(whole.subarray(0, 3), 2);
    frames.read(whole.subarray(5, 10), 1);
    frames.read(whole.subarray(11), 0);
    assert.deepEqual(told, ['o/5', '/2', 't/7']);
    assert.equal(frames.gaps, 0);
  });

  it('are found again after a gap where a piece begins with one', () => {
    const { frames, told } = reader();
    frames.read(whole.subarray(0, 3), 10);
    frames.read(Buffer.from('xyz'), 5);
    frames.read(message('again'), 0);
    assert.deepEqual(told, ['o/5', 'again/7']);
    assert.equal(frames.gaps, 1);
    assert.equal(frames.isBroken, false);
  });

  it('keep a bounded part of a message that comes in pieces', () => {
    const { frames, told } = reader(4);
    frames.read(message('abcdefgh').subarray(0, 7), 0);
    frames.read(message('abcdefgh').subarray(7), 0);
    assert.deepEqual(told, ['ab/10']);
  });

  it('end as far as they came', () => {
    const { frames, told } = reader();
    frames.read(message('abc').subarray(0, 4), 0);
    assert.equal(frames.pending.length, 4);
    frames.close();
    assert.deepEqual(told, ['ab/5']);
  });

  it('are none where a message should begin', () => {
    const { frames } = reader();
    frames.read(Buffer.concat([message('a'), Buffer.from('x')]), 0);
    assert.equal(frames.isBroken, true);
  });

  it('may stop inside a piece', () => {
    const frames: Frames = new Frames({ keptBytes: 9, lengthAt: () => 2, frame: () => frames.stop() });
    assert.equal(frames.read(Buffer.from('abcd'), 0), 2);
    assert.equal(frames.read(Buffer.from('ef'), 0), 0);
  });
});
