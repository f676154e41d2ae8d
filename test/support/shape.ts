import assert from 'node:assert/strict';

/** What a value of a JSON object must be: a name of a type, a check of its own, or a shape of the object there. */
export type Expectation =
  | 'string'
  | 'number'
  | 'boolean'
  | 'string?'
  | 'number?'
  | 'strings'
  | 'time'
  | ((value: unknown) => boolean)
  | Shape;
export interface Shape {
  readonly [field: string]: Expectation;
}

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/**
 * Asserts that an object has these fields and that each is as expected. Further fields are no failure: the schema only
 * ever grows.
 */
export function assertShape(value: unknown, shape: Shape, where: string): void {
  assert.ok(typeof value === 'object' && value !== null && !Array.isArray(value), `${where} is no object`);
  const object = value as Readonly<Record<string, unknown>>;
  for (const [field, expected] of Object.entries(shape)) {
    const name = `${where}.${field}`;
    assert.ok(field in object, `${name} is missing`);
    const actual = object[field];
    if (typeof expected === 'object') assertShape(actual, expected, name);
    else assert.ok(isAsExpected(actual, expected), `${name} is ${JSON.stringify(actual)}`);
  }
}

function isAsExpected(actual: unknown, expected: Exclude<Expectation, Shape>): boolean {
  if (typeof expected === 'function') return expected(actual);
  switch (expected) {
    case 'string?':
      return actual === null || typeof actual === 'string';
    case 'number?':
      return actual === null || typeof actual === 'number';
    case 'strings':
      return Array.isArray(actual) && actual.every((one) => typeof one === 'string');
    case 'time':
      return typeof actual === 'string' && ISO_TIME.test(actual);
    case 'string':
    case 'number':
    case 'boolean':
      return typeof actual === expected;
  }
}

/** Exactly this value. */
export function is(expected: string | number | boolean | null): (value: unknown) => boolean {
  return (value) => value === expected;
}

export function oneOf(...values: readonly unknown[]): (value: unknown) => boolean {
  return (value) => values.includes(value);
}

export function listOf(shape: Shape): (value: unknown) => boolean {
  return (value) => {
    assert.ok(Array.isArray(value), 'no list');
    for (const [index, one] of value.entries()) assertShape(one, shape, `[${index}]`);
    return true;
  };
}
