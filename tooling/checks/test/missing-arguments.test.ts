import { describe, expect, it } from "vitest";
import { check } from "../missing-arguments.mjs";
import { lines, repositoryOf } from "./sandbox.js";

async function found(text: string): Promise<string[]> {
  const files = {
    "packages/core/a/package.json": {
      name: "@offprint/a",
      type: "module",
      exports: { ".": { "@offprint/source": "./src/index.ts" }, "./testing": { "@offprint/source": "./src/none.ts" } },
    },
    "packages/core/a/src/index.ts": `
      class Own extends Error { readonly [Symbol.for("@offprint/error")] = true; }
      export function given(x: { a: number }): number { if (x == null) throw new Own("x is missing"); return x.a; }
      ${text}`,
  };
  return lines(await check(repositoryOf(files)));
}

describe("missing arguments", () => {
  it.each([
    ["functions that say what is missing", ""],
    ["promises that do", "export const later = async (x: { a: number }) => given(x);"],
    ["what takes nothing", "export class Empty {}\nexport const five = () => 5;"],
  ])("accepts %s", async (_, text) => {
    expect(await found(text)).toEqual([]);
  });

  it.each([
    ["functions", "export const f = (x: { a: number }) => x.a;", "f\\(\\) throws TypeError"],
    ["promises", "export const f = async (x: { a: number }) => x.a;", "f\\(\\) throws TypeError"],
    [
      "classes",
      "export class F { a: number; constructor(x: { a: number }) { this.a = x.a; } }",
      "F\\(\\) throws TypeError",
    ],
    ["members", "export const all = { f: (x: { a: number }) => x.a };", "all\\.f\\(\\) throws TypeError"],
    ["options that are null", "export const f = (x: { a?: number } = {}) => x.a;", "f\\(null\\) throws TypeError"],
  ])("names %s that do not", async (_, text, message) => {
    expect(await found(text)).toEqual([expect.stringMatching(new RegExp(`^@offprint/a: ${message}`))]);
  });
});
