import type { ByteString } from '../../base/bytes.ts';
import { hasParentSegment, normalisePath } from '../../base/path.ts';
import { percentDecode } from '../../base/percent.ts';
import type { RequestInput, RequestMessage } from '../../model/request.ts';
import { needlesOf, rememberByMessage } from '../needles.ts';

/** A value that climbs, as it may stand in the path of an open. */
export interface ClimbingNeedle {
  readonly input: RequestInput;
  readonly form: ByteString;
  /**
   * What is left of it when a framework has normalised it against a directory that it climbs out of, with a slash
   * before it: `/etc/passwd` of `../../etc/passwd`. '' when it does not climb out.
   */
  readonly tail: ByteString;
  /**
   * The longer path that it was taken out of, where it is a part of the target's path: where that one stands in the
   * path of an open, it alone is judged. `/a/b/../c` climbs out of `b`, not out of the site.
   */
  readonly wholes: readonly ByteString[];
}

/** A value that is an absolute path itself, or names one behind a scheme (`file:///etc/passwd`). */
export interface AbsoluteNeedle {
  readonly input: RequestInput;
  readonly form: ByteString;
  /** The path, normalised. */
  readonly path: ByteString;
  readonly hasScheme: boolean;
}

export interface TraversalNeedles {
  readonly climbing: readonly ClimbingNeedle[];
  readonly absolute: readonly AbsoluteNeedle[];
}

const SHORTEST_NEEDLE = 5;
const NOTHING: TraversalNeedles = { climbing: [], absolute: [] };
const NO_WHOLES: readonly ByteString[] = [];

/** The needles of a message, or null when it has none: nearly always, and then its inputs are not even decoded. */
export const traversalNeedles = rememberByMessage((message: RequestMessage): TraversalNeedles | null => {
  if (!mayHavePath(message)) return null;
  const found = new Collector();
  const target = addTarget(found, message.target);
  for (const { input, form } of needlesOf(message, SHORTEST_NEEDLE)) {
    if (input.location !== 'path') found.add(input, form, NO_WHOLES);
    // Segments only: of the target's path as a whole, and what may be left of it, addTarget knows more.
    else if (!input.value.includes('/')) found.add(input, form, target);
  }
  const { climbing, absolute } = found.needles();
  return climbing.length === 0 && absolute.length === 0 ? null : { climbing, absolute };
});

/** Dots, an absolute path, or something encoded that may hold them (percent, `../` and `/etc` in base64). */
const IN_TARGET = /\.\.|%2e|%25|%5c|=\/|%2f|%c0|:\/\/|=\.|Li4[vc]|L2V0Y|\\|&#|%26/i;
const IN_BODY = ['..', '%2', '/', '\\', 'Li4', 'L2V', '&#'].map((mark) => Buffer.from(mark));

function mayHavePath({ target, headers, body }: RequestMessage): boolean {
  if (IN_TARGET.test(target)) return true;
  for (const [name, value] of headers) {
    if (name === 'content-encoding') return true;
    if (value.includes('..') || value.includes('%2') || value.includes('=/') || value.startsWith('/'))
      return true;
  }
  if (body.length === 0) return false;
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return IN_BODY.some((mark) => bytes.includes(mark));
}

/**
 * The path of the target as a whole: it is known as segments only, and a server that maps it onto files may climb by
 * it, also within a segment (`/static../app.py` where `/static` is replaced by a directory that ends with a slash).
 */
function addTarget(found: Collector, target: ByteString): readonly ByteString[] {
  const query = target.search(/[?#]/);
  const path = query === -1 ? target : target.slice(0, query);
  if (!/\.\.|%2e|%25/i.test(path)) return NO_WHOLES;
  const once = percentDecode(path);
  const forms = [...new Set([path, once, percentDecode(once)])];
  const input: RequestInput = { location: 'path', name: '', value: path, forms };
  for (const form of forms) {
    if (form.length < SHORTEST_NEEDLE) continue;
    found.add(input, form, NO_WHOLES);
    const dots = form.indexOf('../');
    if (dots < 1 || form.length - dots < SHORTEST_NEEDLE) continue;
    // Where the server takes a prefix off before it maps the rest, the path stands there from its dots on. Inside of
    // the site a plain `..` is no offence: only what leaves it, or what hides the dots in a segment.
    const leaves = normalisePath(form.replace(/^\/+/, '')).startsWith('../');
    if (leaves || form[dots - 1] !== '/') found.add(input, form.slice(dots), forms);
  }
  return forms;
}

const LEADING_PARENTS = /^(?:\.\.(?:\/|$))+/;
const SCHEME = /^[a-z][a-z0-9.+-]{1,20}:\/\/(?:localhost(?=\/))?/i;
const FILTER = /^php:\/\/filter\/.*?resource=/i;

class Collector {
  readonly #climbing = new Map<ByteString, ClimbingNeedle>();
  readonly #absolute = new Map<ByteString, AbsoluteNeedle>();

  needles(): TraversalNeedles {
    if (this.#climbing.size === 0 && this.#absolute.size === 0) return NOTHING;
    return { climbing: [...this.#climbing.values()], absolute: [...this.#absolute.values()] };
  }

  add(input: RequestInput, form: ByteString, wholes: readonly ByteString[]): void {
    const scheme = (FILTER.exec(form) ?? SCHEME.exec(form))?.[0] ?? '';
    for (const variant of variantsOf(form.slice(scheme.length))) {
      if (variant.length < SHORTEST_NEEDLE) continue;
      if (hasParentSegment(variant)) this.#addClimbing(input, variant, wholes);
      if (variant.startsWith('/') && !/[\s<>{}"]/.test(variant)) {
        this.#absolute.set(variant, { input, form, path: normalisePath(variant), hasScheme: scheme !== '' });
      }
    }
  }

  #addClimbing(input: RequestInput, form: ByteString, wholes: readonly ByteString[]): void {
    if (this.#climbing.has(form)) return;
    const relative = normalisePath(form.replace(/^\/+/, ''));
    const rest = relative.replace(LEADING_PARENTS, '');
    const tail = rest === '' || rest.length === relative.length ? '' : `/${rest}`;
    this.#climbing.set(form, { input, form, tail, wholes });
  }
}

/** A value and what careless filters and C strings make of it. All of them are rare. */
function variantsOf(path: ByteString): readonly ByteString[] {
  const variants = new Set<ByteString>();
  for (const uncut of [path, path.split('\0', 1)[0] ?? '']) {
    for (const form of uncut.includes('\\') ? [uncut, uncut.replaceAll('\\', '/')] : [uncut]) {
      variants.add(form);
      if (!form.includes('..')) continue;
      // A filter that takes `../` out once turns `....//` and `..././` into it.
      if (form.includes('../')) variants.add(form.replaceAll('../', ''));
      // Servlet containers take path parameters out: `..;/`.
      if (form.includes('..;')) variants.add(form.replace(/\.\.;[^/]*/g, '..'));
    }
  }
  return [...variants];
}
