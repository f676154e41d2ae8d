/**
 * Whether the leaves keep out of each other's way: each capture of a real server belongs to its own leaf, and bytes
 * without meaning to none. Leaves are found by their folders, so a new one needs no line here.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Confidence, FirstBytes, Protocol } from './contract.ts';
import { confidenceOf, loadFixtures, type WireFixture } from './testing.ts';

interface Capture {
  /** The protocols that may claim it. */
  readonly owners: readonly Protocol[];
  readonly fixture: WireFixture;
}

interface Leaf {
  readonly protocols: readonly Protocol[];
  readonly captures: readonly Capture[];
}

const SEEDS = 1000;
/** What the streams keep of a connection while its protocol is not known. */
const MAX_RANDOM_BYTES = 256;
const MIN_RANDOM_BYTES = 32;
const NOTHING = new Uint8Array(0);

const leaves = await Promise.all(
  readdirSync(import.meta.dirname)
    .filter((name) => existsSync(join(import.meta.dirname, name, 'index.ts')))
    .map(loadLeaf),
);
const protocols = leaves.flatMap((leaf) => leaf.protocols);

async function loadLeaf(name: string): Promise<Leaf> {
  const exported = Object.values((await import(`./${name}/index.ts`)) as Record<string, unknown>);
  const found = exported.filter(isProtocol);
  return { protocols: found, captures: loadCaptures(join(import.meta.dirname, name, 'fixtures'), found) };
}

/** A leaf with several protocols keeps the captures of each in a folder with the protocol's name. */
function loadCaptures(directory: string, owners: readonly Protocol[]): Capture[] {
  if (!existsSync(directory)) return [];
  const own = owners.flatMap((protocol) => {
    const folder = join(directory, protocol.name);
    return existsSync(folder) ? loadFixtures(folder).map((fixture) => ({ owners: [protocol], fixture })) : [];
  });
  return [...own, ...loadFixtures(directory).map((fixture) => ({ owners, fixture }))];
}

function isProtocol(value: unknown): value is Protocol {
  return typeof value === 'object' && value !== null && 'recognise' in value && 'transport' in value;
}

function isClaim(confidence: string): boolean {
  return confidence === 'certain' || confidence === 'likely';
}

describe('recognition of all leaves', () => {
  it('finds leaves, with names of their own', () => {
    const names = protocols.map(({ name }) => name);
    assert.ok(names.length > 0);
    assert.equal(new Set(names).size, names.length, names.join(', '));
  });

  for (const { captures } of leaves) {
    // A leaf that goes on for others (WebSocket) may know nothing by its first bytes; its own tests say whether it should.
    const isRecognisable = captures.some(({ owners, fixture }) =>
      owners.some((owner) => isClaim(confidenceOf(owner, fixture))),
    );
    for (const { owners, fixture } of captures) {
      const title = `${owners.map(({ name }) => name).join(', ')}: ${fixture.name}`;
      it(`${title} is claimed by its own protocol and no other is certain`, () => {
        const answers = owners.map((owner) => confidenceOf(owner, fixture));
        if (isRecognisable) assert.ok(answers.some(isClaim), `own: ${answers.join(', ')}`);
        const transports = new Set(owners.map(({ transport }) => transport));
        const others = protocols.filter(
          (protocol) => !owners.includes(protocol) && transports.has(protocol.transport),
        );
        for (const other of others) assert.notEqual(confidenceOf(other, fixture), 'certain', other.name);
      });
    }
  }

  it('claims no random bytes', () => {
    for (const [what, draw] of Object.entries({ bytes: randomBytes, text: randomText })) {
      for (let seed = 1; seed <= SEEDS; seed++) {
        const bytes = draw(generator(seed));
        for (const first of placesOf(bytes)) {
          for (const protocol of protocols) {
            const answer: Confidence = protocol.recognise(first);
            assert.ok(!isClaim(answer), `${protocol.name} is ${answer} of ${what}, seed ${seed}`);
          }
        }
      }
    }
  });
});

/** Bytes as the first of each side, at the beginning of a connection and in its middle. */
function placesOf(bytes: Uint8Array): FirstBytes[] {
  return [true, false].flatMap((isBeginning) => [
    { fromClient: bytes, fromServer: NOTHING, isBeginning },
    { fromClient: NOTHING, fromServer: bytes, isBeginning },
  ]);
}

type Random = (below: number) => number;

function randomBytes(random: Random): Uint8Array {
  const length = MIN_RANDOM_BYTES + random(MAX_RANDOM_BYTES - MIN_RANDOM_BYTES);
  return Uint8Array.from({ length }, () => random(256));
}

/** Lines of printable characters, which text protocols could take for their own. */
function randomText(random: Random): Uint8Array {
  return randomBytes(random).map((byte, index) => (index % 40 === 39 ? 10 : 32 + (byte % 95)));
}

/** Numbers that look random and are the same in each run (Marsaglia's xorshift). */
function generator(seed: number): Random {
  let state = Math.imul(seed, 0x9e3779b1) >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
