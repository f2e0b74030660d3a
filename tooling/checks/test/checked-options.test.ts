import { describe, expect, it } from "vitest";
import { check } from "../checked-options.mjs";
import { lines, repositoryOf } from "./sandbox.js";

function found(text: string): string[] {
  return lines(
    check(
      repositoryOf({
        "packages/core/a/package.json": { name: "@offprint/a", type: "module" },
        "packages/core/a/src/index.ts": 'export { f } from "./f.js";',
        "packages/core/a/src/f.ts": text,
      }),
    ),
  );
}

describe("checked options", () => {
  it.each([
    [
      "checked",
      'export function f(x: number, options: FOptions = {}) { checkOptions("f", options, ["a"]); return options.a; }',
    ],
    ["handed on whole", "export function f(options: FOptions) { return inner(options); }"],
    ["spread into those of another", "export function f(options: FOptions) { return inner({ ...options, b: 1 }); }"],
    [
      "taken apart and the rest handed on",
      "export function f({ a, ...rest }: FOptions) { return inner(a, { ...rest }); }",
    ],
    [
      "taken apart inside and the rest handed on",
      "export function f(options: FOptions) { const { a, ...rest } = options; return inner(a, rest); }",
    ],
    ["not of the public interface", "export function g({ a }: FOptions) { return a; }"],
  ])("accepts options that are %s", (_, text) => {
    expect(found(text)).toEqual([]);
  });

  it.each([
    ["taken apart", "export function f({ a = 1 }: FOptions = {}) { return a; }"],
    ["read one by one", "export function f(x: number, options: FOptions) { return inner(options.a); }"],
  ])("names functions whose options are %s only", (_, text) => {
    expect(found(text)).toEqual([expect.stringMatching(/packages\/core\/a\/src\/f\.ts:1.*f ignores options/)]);
  });
});
