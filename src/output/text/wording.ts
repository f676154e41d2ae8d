import { signalOfExitCode } from '../linux-names.ts';
import type { ContainerView } from '../views.ts';
import type { Terminal } from './terminal.ts';

/** Small pieces of wording that the renderers share. All results are safe to print. */

/** Elements of argv as a shell would take them. */
export function commandText(argv: readonly string[], terminal: Terminal, limit = 400): string {
  const words: string[] = [];
  let length = 0;
  for (const argument of argv) {
    if (length > limit) {
      words.push(terminal.symbols.ellipsis);
      break;
    }
    const word = quoted(terminal.safe(argument, Math.max(limit - length, 8)));
    words.push(word);
    length += word.length + 1;
  }
  return words.join(' ');
}

function quoted(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** 'exit 1', or 'exit 137 (SIGKILL)'. */
export function exitText(code: number): string {
  const signal = signalOfExitCode(code);
  return signal === null ? `exit ${code}` : `exit ${code} (${signal})`;
}

/** 850 µs has no use here: '0.85 ms', '12 ms', '3.2 s', '2 min 5 s'. */
export function durationText(ms: number): string {
  if (ms < 10) return `${Number(ms.toFixed(2))} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${Number((ms / 1000).toFixed(1))} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** '512 B', '3.2 MiB'. */
export function sizeText(sizeBytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let size = sizeBytes;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${Number(size.toFixed(1))} ${units[unit]}`;
}

/** '1,204 events', '1 event'. */
export function countText(count: number, noun: string, plural = noun + 's'): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? noun : plural}`;
}

/** '4f1c4f1c4f1c', 'web (nginx:1.25)', and where it is in a pod: 'app (shop:2) of pod shop/web-6d4'. */
function containerText({ id, name, image, pod, namespace }: ContainerView, terminal: Terminal): string {
  const called = name === null ? terminal.safe(id, 12).replace(/(…|\.\.\.)$/, '') : terminal.safe(name, 80);
  const made = image === null ? '' : ` (${terminal.safe(image, 120)})`;
  const whole = namespace === null ? pod : `${namespace}/${pod}`;
  return called + made + (pod === null || whole === null ? '' : ` of pod ${terminal.safe(whole, 120)}`);
}

/** Service unit and container of a process, where it has them. */
export function placeText(
  place: { readonly unit: string | null; readonly container: ContainerView | null },
  terminal: Terminal,
): string {
  const parts: string[] = [];
  if (place.container !== null) parts.push(`container ${containerText(place.container, terminal)}`);
  if (place.unit !== null) parts.push(terminal.safe(place.unit, 80));
  return parts.join(', ');
}

/** Lost events by reason, most first: 'payload ring full 30, event cut 4'. */
export function lossText(reasons: Readonly<Record<string, number>>, terminal: Terminal): string {
  return Object.entries(reasons)
    .filter(([, count]) => count > 0)
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${terminal.safe(reason, 80)} ${count.toLocaleString('en-US')}`)
    .join(', ');
}
