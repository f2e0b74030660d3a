import { AssertionError } from "node:assert";
import { expect } from "vitest";

/** Matches an error by its name and its message: `expect(f).toThrow(errorLike("ValueError", /rate/))`. */
export function errorLike(name: string, message: RegExp): Error {
  return expect.objectContaining({ name, message: expect.stringMatching(message) });
}

/**
 * What a function throws, or what its promise rejects with.
 *
 * @throws AssertionError when it ends without an error, or throws what is no Error
 */
export async function failureOf(work: () => unknown): Promise<Error> {
  let result: unknown;
  try {
    result = await work();
  } catch (error) {
    if (error instanceof Error) return error;
    result = error;
  }
  throw new AssertionError({ message: `no error was thrown, but ${result} came`, stackStartFn: failureOf });
}
