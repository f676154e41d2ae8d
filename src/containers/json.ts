/** Fields of JSON that somebody else has written: what is of another type counts as missing. */
export function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

export function textOf(value: unknown, name: string): string {
  const field = fieldOf(value, name);
  return typeof field === 'string' ? field : '';
}

export function entriesOf(value: unknown, name: string): readonly (readonly [string, unknown])[] {
  const field = fieldOf(value, name);
  return typeof field === 'object' && field !== null ? Object.entries(field) : [];
}
