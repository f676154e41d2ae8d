/**
 * Reads the BTF type information of a compiled BPF object: enough of ELF64 and of BTF to list structures and enums.
 * Formats: System V ABI (ELF-64), Documentation/bpf/btf.rst. Pure; throws RangeError or Error on a malformed object,
 * which is our own build product, never hostile input.
 */
export interface BtfMember {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

export interface BtfStruct {
  readonly size: number;
  readonly members: readonly BtfMember[];
}

export interface BtfTypes {
  readonly structs: ReadonlyMap<string, BtfStruct>;
  readonly enums: ReadonlyMap<string, readonly (readonly [name: string, value: number])[]>;
}

interface RawType {
  readonly name: string;
  readonly kind: number;
  /** Size in bytes, or the id of the type referred to. */
  readonly sizeOrType: number;
  readonly members: readonly { name: string; type: number; value: number }[];
  /** Arrays: element type and count. */
  readonly element: number;
  readonly count: number;
}

const KIND_INT = 1;
const KIND_PTR = 2;
const KIND_ARRAY = 3;
const KIND_STRUCT = 4;
const KIND_UNION = 5;
const KIND_ENUM = 6;
const KIND_TYPEDEF = 8;
const KIND_VOLATILE = 9;
const KIND_CONST = 10;
const KIND_RESTRICT = 11;
const KIND_FUNC_PROTO = 13;
const KIND_VAR = 14;
const KIND_DATASEC = 15;
const KIND_DECL_TAG = 17;
const KIND_ENUM64 = 19;

interface ElfSection {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  /** Index of a related section: for a symbol table, that of its names. */
  readonly link: number;
}

function elfSections(object: Uint8Array): ElfSection[] {
  const view = new DataView(object.buffer, object.byteOffset, object.byteLength);
  if (view.getUint32(0, false) !== 0x7f454c46) throw new Error('not an ELF file');
  const headers = Number(view.getBigUint64(40, true));
  const entrySize = view.getUint16(58, true);
  const count = view.getUint16(60, true);
  if (headers + count * entrySize > object.length) throw new Error('the ELF file is cut');
  const number = (header: number, field: number): number => Number(view.getBigUint64(header + field, true));
  const namesOffset = number(headers + view.getUint16(62, true) * entrySize, 24);
  return Array.from({ length: count }, (_, index) => {
    const header = headers + index * entrySize;
    return {
      name: stringAt(object, namesOffset + view.getUint32(header, true)),
      offset: number(header, 24),
      size: number(header, 32),
      link: view.getUint32(header + 40, true),
    };
  });
}

/** The content of an ELF section, or null when the object has none of that name. */
export function elfSection(object: Uint8Array, name: string): Uint8Array | null {
  const section = elfSections(object).find((candidate) => candidate.name === name);
  return section === undefined ? null : object.subarray(section.offset, section.offset + section.size);
}

/** Where the variables of a section (.bss, .data) are, in bytes from its start. */
export function elfVariables(object: Uint8Array, sectionName: string): Map<string, number> {
  const view = new DataView(object.buffer, object.byteOffset, object.byteLength);
  const sections = elfSections(object);
  const wanted = sections.findIndex((section) => section.name === sectionName);
  const symbols = sections.find((section) => section.name === '.symtab');
  const variables = new Map<string, number>();
  if (symbols === undefined || wanted < 0) return variables;
  const names = sections[symbols.link]?.offset ?? 0;
  for (let at = symbols.offset; at < symbols.offset + symbols.size; at += 24) {
    if (view.getUint16(at + 6, true) !== wanted) continue;
    const name = stringAt(object, names + view.getUint32(at, true));
    if (name !== '') variables.set(name, Number(view.getBigUint64(at + 8, true)));
  }
  return variables;
}

function stringAt(bytes: Uint8Array, offset: number): string {
  let end = offset;
  while (bytes[end] !== 0 && end < bytes.length) end++;
  return Buffer.from(bytes.subarray(offset, end)).toString('latin1');
}

/** The structures and enums of an object's .BTF section. */
export function readBtf(object: Uint8Array): BtfTypes {
  const section = elfSection(object, '.BTF');
  if (section === null) throw new Error('the object has no .BTF section');
  const types = readTypes(section);
  const structs = new Map<string, BtfStruct>();
  const enums = new Map<string, readonly (readonly [string, number])[]>();
  for (const type of types) {
    if (type.name === '') continue;
    if (type.kind === KIND_STRUCT) {
      const members = type.members.map((member) => ({
        name: member.name,
        offset: member.value / 8,
        size: sizeOf(types, member.type),
      }));
      structs.set(type.name, { size: type.sizeOrType, members });
    } else if (type.kind === KIND_ENUM) {
      enums.set(
        type.name,
        type.members.map((member) => [member.name, member.value] as const),
      );
    }
  }
  return { structs, enums };
}

function readTypes(section: Uint8Array): RawType[] {
  const view = new DataView(section.buffer, section.byteOffset, section.byteLength);
  if (view.getUint16(0, true) !== 0xeb9f) throw new Error('not a little-endian BTF section');
  const headerSize = view.getUint32(4, true);
  const typesStart = headerSize + view.getUint32(8, true);
  const typesEnd = typesStart + view.getUint32(12, true);
  const strings = headerSize + view.getUint32(16, true);
  const nameAt = (offset: number): string => stringAt(section, strings + offset);
  const types: RawType[] = [{ name: 'void', kind: 0, sizeOrType: 0, members: [], element: 0, count: 0 }];
  let at = typesStart;
  while (at < typesEnd) {
    const info = view.getUint32(at + 4, true);
    const kind = (info >>> 24) & 0x1f;
    const length = info & 0xffff;
    const name = nameAt(view.getUint32(at, true));
    const sizeOrType = view.getUint32(at + 8, true);
    at += 12;
    const members: { name: string; type: number; value: number }[] = [];
    let element = 0;
    let count = 0;
    switch (kind) {
      case KIND_INT:
      case KIND_VAR:
      case KIND_DECL_TAG:
        at += 4;
        break;
      case KIND_ARRAY:
        element = view.getUint32(at, true);
        count = view.getUint32(at + 8, true);
        at += 12;
        break;
      case KIND_STRUCT:
      case KIND_UNION:
        for (let index = 0; index < length; index++, at += 12)
          members.push({
            name: nameAt(view.getUint32(at, true)),
            type: view.getUint32(at + 4, true),
            value: view.getUint32(at + 8, true),
          });
        break;
      case KIND_ENUM:
        for (let index = 0; index < length; index++, at += 8)
          members.push({
            name: nameAt(view.getUint32(at, true)),
            type: 0,
            value: view.getInt32(at + 4, true),
          });
        break;
      case KIND_FUNC_PROTO:
        at += 8 * length;
        break;
      case KIND_DATASEC:
      case KIND_ENUM64:
        at += 12 * length;
        break;
      default:
        break;
    }
    types.push({ name, kind, sizeOrType, members, element, count });
  }
  return types;
}

function sizeOf(types: readonly RawType[], id: number): number {
  const type = types[id];
  switch (type?.kind) {
    case KIND_INT:
    case KIND_STRUCT:
    case KIND_UNION:
    case KIND_ENUM:
      return type.sizeOrType;
    case KIND_PTR:
      return 8;
    case KIND_ARRAY:
      return sizeOf(types, type.element) * type.count;
    case KIND_TYPEDEF:
    case KIND_VOLATILE:
    case KIND_CONST:
    case KIND_RESTRICT:
      return sizeOf(types, type.sizeOrType);
    default:
      return 0;
  }
}

/** Structures of bpf/abi.h that both sides know. */
export const CONTRACT_STRUCT = /^(?:event_header|action_plan|cgroup_budget|exec_details|.*_event)$/;

/** The part of an object's types that both sides share, in one canonical text: equal text, equal layout. */
export function contractLayout(types: BtfTypes): string {
  const lines: string[] = [];
  for (const name of [...types.structs.keys()].filter((key) => CONTRACT_STRUCT.test(key)).toSorted()) {
    const struct = types.structs.get(name);
    if (struct === undefined) continue;
    lines.push(`struct ${name} ${struct.size}`);
    for (const member of struct.members) lines.push(`  ${member.name} ${member.offset} ${member.size}`);
  }
  for (const name of [...types.enums.keys()].filter((key) => CONTRACT_ENUMS.has(key)).toSorted()) {
    lines.push(`enum ${name}`);
    for (const [key, value] of types.enums.get(name) ?? []) lines.push(`  ${key} ${value}`);
  }
  return lines.join('\n');
}

/** Enums of bpf/abi.h, and the prefix that their names carry in C. */
export const CONTRACT_ENUMS: ReadonlyMap<string, string> = new Map([
  ['event_kind', 'EVENT_'],
  ['event_flag', 'FLAG_'],
  ['exec_flag', 'EXEC_'],
  ['stamp_origin', 'ORIGIN_'],
  ['work_phase', 'WORK_'],
  ['stdio_type', 'STDIO_'],
  ['address_family', 'FAMILY_'],
  ['direction', 'DIRECTION_'],
  ['counter', 'COUNTER_'],
  ['argument_kind', 'ARGUMENT_'],
  ['action_scope', 'SCOPE_'],
  ['argument_test', 'TEST_'],
]);

/** FNV-1a, 64 bits in two halves of 32: a fingerprint of the layout, no protection against anybody. */
export function layoutHash(layout: string): string {
  let low = 0x811c9dc5;
  let high = 0x01000193;
  for (let index = 0; index < layout.length; index++) {
    low = Math.imul(low ^ layout.charCodeAt(index), 0x01000193);
    high = Math.imul(high ^ layout.charCodeAt(index), 0x01000197) ^ (low >>> 13);
  }
  return (low >>> 0).toString(16).padStart(8, '0') + (high >>> 0).toString(16).padStart(8, '0');
}
