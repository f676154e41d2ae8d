// JSON.stringify escapes C0 controls only. C1 controls, DEL and reordering characters are as bad for a terminal that
// shows the line, and inside JSON strings they can all be written as \uNNNN.
const UNSAFE = /[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** One line of JSON that is safe to print, with its line feed. */
export function jsonLine(value: object): string {
  const escaped = JSON.stringify(value).replace(
    UNSAFE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return escaped + '\n';
}
