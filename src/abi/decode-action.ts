import { byteString, type ByteString } from '../base/bytes.ts';
import { normalisePath } from '../base/path.ts';
import { ACTION_LIST, argumentsOf, type ActionName, type Argument } from '../model/actions.ts';
import type { ActionArgument, ActionEvent } from '../model/event.ts';
import type { SyscallName } from '../model/syscalls.ts';
import { ACTION_EVENT } from './abi.gen.ts';
import { readNumber, type Sections } from './sections.ts';

/** An action's calls, in the order that their numbers in the event follow. */
const ACTIONS_BY_ID: ReadonlyMap<
  number,
  { readonly name: ActionName; readonly calls: readonly SyscallName[] }
> = new Map(
  ACTION_LIST.map(({ id, name, calls }) => [id, { name, calls: Object.keys(calls) as SyscallName[] }]),
);

/** What stands behind the header of an action; null where this program does not know it. */
export function decodeAction(
  view: DataView,
  offset: number,
  sections: Sections,
): Pick<ActionEvent, 'kind' | 'action' | 'syscall' | 'result' | 'arguments'> | null {
  const action = ACTIONS_BY_ID.get(view.getUint16(offset + ACTION_EVENT.action, true));
  const syscall = action?.calls[view.getUint16(offset + ACTION_EVENT.call, true)];
  if (action === undefined || syscall === undefined) return null;
  return {
    kind: 'action',
    action: action.name,
    syscall,
    result: Number(view.getBigInt64(offset + ACTION_EVENT.result, true)),
    arguments: argumentsOf(action.name, syscall).map((argument, index) =>
      decodeArgument(argument, index, view, offset, sections),
    ),
  };
}

function decodeArgument(
  argument: Argument,
  index: number,
  view: DataView,
  offset: number,
  sections: Sections,
): ActionArgument {
  const textSize = view.getUint16(offset + ACTION_EVENT.text_size + 2 * index, true);
  const baseSize = view.getUint16(offset + ACTION_EVENT.base_size + 2 * index, true);
  const at = offset + ACTION_EVENT.arguments + 8 * index;
  switch (argument.kind) {
    case 'number':
    case 'word':
      return argument.isSigned === true ? view.getInt32(at, true) : readNumber(view, at);
    case 'bytes':
      return byteString(sections.next(textSize));
    case 'text':
      return sections.text(textSize);
    case 'file':
      return fileName(sections.path(baseSize), readNumber(view, at));
    case 'path':
    case 'path-at':
      return absolutePath(sections.text(textSize), sections.path(baseSize));
  }
}

/** Files of the kernel's own (namespaces) have no name but their number, as in `ls -l /proc/self/ns`. */
function fileName(path: ByteString, inode: number): ByteString {
  if (inode === 0) return path;
  // The root has no components at all.
  return path === '//' ? `[${inode}]` : path === '' ? '/' : path;
}

/** A relative path joined to where it begins; without a name (AT_EMPTY_PATH) that is the file itself. */
function absolutePath(path: ByteString, base: ByteString): ByteString {
  if (path.startsWith('/')) return normalisePath(path);
  return path === '' ? base : normalisePath(`${base}/${path}`);
}
