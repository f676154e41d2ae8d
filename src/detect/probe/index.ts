import { byteString, type ByteString } from '../../base/bytes.ts';
import { percentDecode } from '../../base/percent.ts';
import { printable } from '../../base/printable.ts';
import type { Detection } from '../../model/finding.ts';
import type { Request, RequestInput, RequestMessage } from '../../model/request.ts';
import type { Detector } from '../contract.ts';
import { describeInput, needlesOf } from '../needles.ts';
import { commandShape, traversalShape } from './shapes.ts';

const NAME = 'probe';

/**
 * Requests that look like an attack, whatever became of them: PROBED, from the request alone. It sees the two classes
 * whose effects the exploit detectors prove, so that an attack that failed leaves a trace too. It is no firewall: it
 * is made to be silent on ordinary traffic rather than to see every disguise.
 */
export function createProbe(): Detector {
  return {
    name: NAME,
    onRequest(request: Request): readonly Detection[] {
      if (!isWorthDecoding(request.message)) return [];
      return inspect(request);
    },
  };
}

/**
 * Bytes without which no input can have either shape, plain or percent-encoded, also twice. The target is looked at
 * as it is, nothing is decoded.
 */
const IN_TARGET =
  /\.\.|[;|`\\\n]|&&|\$\(|%(?:2e|3b|7c|60|24|26|0a|0d|25|5c|c0)|(?:\/|%2f)(?:etc|proc|root|home|var|run)(?:\/|%2f)/i;
const IN_BODY =
  /\.\.|[;|`]|&&|\$\(|%(?:2e|3b|7c|60|24|26|0a|0d|25|5c|c0)|\\(?:n|r|u00|\\)|(?:\/|%2f)(?:etc|proc|root|home|var|run)(?:\\?\/|%2f)/i;
const IN_HEADER = /\.\.(?:\/|%2f|\\)|`|\$\(|\|\||\(\)[ \t]*\{|(?:%2e){2}|%3b|%7c/i;
const ENCODED_BODY = /^content-encoding[ \t]*:/im;
/** JSON and XML: their values are inputs of their own, the whole is no command and no path. */
const DOCUMENT = /^\s{0,16}[{[<]/;
const LONGEST_BODY = 64 * 1024;

function isWorthDecoding({ head, target, body }: RequestMessage): boolean {
  if (IN_TARGET.test(target) || IN_HEADER.test(head)) return true;
  if (body.length === 0) return false;
  if (ENCODED_BODY.test(head)) return true;
  const text = byteString(body, 0, Math.min(body.length, LONGEST_BODY));
  // A form has a & between any two fields, JSON only in its values.
  return IN_BODY.test(text) || (DOCUMENT.test(text) && text.includes('&'));
}

interface Shape {
  readonly attackClass: 'path-traversal' | 'command-injection';
  readonly title: string;
  readonly cwe: readonly number[];
  readonly attack: readonly string[];
  readonly describe: (value: ByteString) => string | null;
}

const SHAPES: readonly Shape[] = [
  {
    attackClass: 'path-traversal',
    title: 'Path traversal attempt',
    cwe: [22],
    attack: ['T1190', 'T1083'],
    describe: traversalShape,
  },
  {
    attackClass: 'command-injection',
    title: 'Command injection attempt',
    cwe: [78],
    attack: ['T1190', 'T1059.004'],
    describe: commandShape,
  },
];

const SHORTEST_VALUE = 3;

/** At most one detection of a class: the first input that has its shape. */
function inspect(request: Request): readonly Detection[] {
  const candidates = needlesOf(request.message, SHORTEST_VALUE);
  const target = targetInput(request.message.target);
  const detections: Detection[] = [];
  for (const shape of SHAPES) {
    const detection =
      first(request, shape, candidates) ??
      (target === null || shape.attackClass !== 'path-traversal'
        ? null
        : first(
            request,
            shape,
            target.forms.map((form) => ({ input: target, form })),
          ));
    if (detection !== null) detections.push(detection);
  }
  return detections;
}

function first(
  request: Request,
  shape: Shape,
  candidates: readonly { readonly input: RequestInput; readonly form: ByteString }[],
): Detection | null {
  for (const { input, form } of candidates) {
    if (input.location === 'body' && DOCUMENT.test(form)) continue;
    const note = shape.describe(form);
    if (note === null) continue;
    const source = describeInput(input);
    return {
      detector: NAME,
      verdict: 'PROBED',
      class: shape.attackClass,
      severity: 'low',
      title: `${shape.title}: ${source} ${printable(note, 200)}`,
      cwe: shape.cwe,
      attack: shape.attack,
      request,
      effect: null,
      evidence: [{ source, value: form, sink: null, sinkValue: null, offset: -1, note }],
    };
  }
  return null;
}

/** The target's path as a whole: its segments alone do not show that it climbs. */
function targetInput(target: ByteString): RequestInput | null {
  const query = target.search(/[?#]/);
  const path = query === -1 ? target : target.slice(0, query);
  if (!/\.\.|%2e|%25/i.test(path)) return null;
  const once = percentDecode(path);
  return { location: 'path', name: '', value: path, forms: [...new Set([path, once, percentDecode(once)])] };
}
