import { describe, expect, it } from "vitest";
import { check } from "../documented.mjs";
import { lines, repositoryOf } from "./sandbox.js";

function found(files: Record<string, string>): string[] {
  const sources = Object.entries(files).map(([name, text]) => [`packages/core/a/src/${name}`, text]);
  return lines(
    check(
      repositoryOf({
        "packages/core/a/package.json": { name: "@offprint/a", type: "module" },
        ...Object.fromEntries(sources),
      }),
    ),
  );
}

describe("documented", () => {
  it("accepts documented symbols and members", () => {
    const text = `
      /** A function. */
      export function f(): void {}
      /** Options. */
      export interface Options {
        /** How far. */
        step: number;
      }
      /** A class. */
      export class C {
        private hidden = 1;
        #own = 2;
        /** Does it. */
        run(): number { return this.hidden + this.#own; }
      }
      function internal(): void {}
      internal();
    `;
    expect(found({ "index.ts": text })).toEqual([]);
  });

  it.each([
    ["export function f(): void {}", "f has"],
    ["/** O. */ export interface O { step: number }", "O.step has"],
    ["/** O. */ export type O = { step: number };", "O.step has"],
    ["/** C. */ export class C { run(): void {} }", "C.run has"],
    ["export const x = 1;", "x has"],
  ])("finds %s", (text, message) => {
    expect(found({ "index.ts": text })).toEqual([expect.stringContaining(message)]);
  });

  it("follows re-exports and namespaces", () => {
    const files = {
      "index.ts": 'export * from "./b.js";\nexport * as inner from "./c.js";',
      "b.ts": "export const b = 1;",
      "c.ts": "export const c = 1;",
    };
    expect(found(files).sort()).toEqual([expect.stringContaining("b has"), expect.stringContaining("inner.c has")]);
  });
});
