import type { Field } from './field.ts';

/** A field as rules write it, with what may or must stand in brackets: proc.aname[N], evt.arg[NAME]. */
export function fieldSyntax({ name, argument }: Field): string {
  switch (argument) {
    case 'none':
      return name;
    case 'index':
    case 'required index':
      return `${name}[N]`;
    case 'name':
    case 'required name':
      return `${name}[NAME]`;
  }
}
