import { FormatError } from "@offprint/tensor-core";

/** `value` as an object. @throws FormatError if it is none. */
export function object(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new FormatError(`${what} must be an object; give what toJSON returned, unchanged`);
  }
  return value as Record<string, unknown>;
}

/** `value` as a finite number. @throws FormatError if it is none. */
export function finiteNumber(value: unknown, what: string): number {
  if (typeof value !== "number" || !Number.isFinite(value)) {
    throw new FormatError(`${what} is ${String(value)}; it must be a finite number`);
  }
  return value;
}

/** `value` as a finite number >= 0. @throws FormatError if it is none. */
export function nonNegative(value: unknown, what: string): number {
  const number = finiteNumber(value, what);
  if (number < 0) throw new FormatError(`${what} is ${number}; it must be >= 0`);
  return number;
}

/** `value` as an integer >= 0. @throws FormatError if it is none. */
export function count(value: unknown, what: string): number {
  const number = nonNegative(value, what);
  if (!Number.isSafeInteger(number)) throw new FormatError(`${what} is ${number}; it must be an integer`);
  return number;
}

/** `value` as `length` numbers >= 0. @throws FormatError if it is something else. */
export function nonNegatives(value: unknown, length: number, what: string): Float64Array {
  const numbers = finiteNumbers(value, length, what);
  numbers.forEach((number, i) => {
    nonNegative(number, `${what}[${i}]`);
  });
  return numbers;
}

/** `value` as `length` finite numbers. @throws FormatError if it is something else. */
export function finiteNumbers(value: unknown, length: number, what: string): Float64Array {
  if (!Array.isArray(value) || value.length !== length || !value.every((x) => Number.isFinite(x))) {
    throw new FormatError(`${what} must be ${length} finite numbers; give what toJSON returned, unchanged`);
  }
  return Float64Array.from(value as number[]);
}
