import type { AlertMessage, AlertOutputs, OutputCounts } from '../../cli/contract.ts';
import { jsonLine } from '../../output/json.ts';
import { AlertFile } from './alert-file.ts';
import { AlertPost } from './alert-post.ts';

/** Where alerts go. Nothing that happens to it ends anything else. */
export interface LineOutput {
  /** @param line one JSON object with its line feed */
  add(line: string): void;
  /** Rules have changed, or SIGHUP came: time to look whether a file was put away. */
  reopen(): void;
  /** Delivers what waits, for a bounded time. */
  end(): Promise<OutputCounts>;
}

export interface AlertOutput extends Omit<LineOutput, 'add'> {
  add(alert: AlertMessage): void;
}

/** Alerts leave in the very shape of the reference engine's: without the word that tells our messages apart. */
export function alertOutputs(
  outputs: AlertOutputs | undefined,
  warn: (text: string) => void,
): readonly AlertOutput[] {
  const lines: LineOutput[] = [];
  if (outputs?.file !== null && outputs?.file !== undefined) lines.push(new AlertFile(outputs.file, warn));
  if (outputs?.url !== null && outputs?.url !== undefined) lines.push(new AlertPost(outputs.url, warn));
  return lines.map((output) => ({
    add(alert) {
      output.add(jsonLine({ ...alert, kind: undefined }));
    },
    reopen: () => output.reopen(),
    end: () => output.end(),
  }));
}
