import { expect, it } from "vitest";
import { repositoryOf } from "../../checks/test/sandbox.js";
import { measure } from "../size.mjs";

const incompressible = (length: number, seed: number) => {
  let state = seed;
  return Array.from({ length }, () => {
    state = (state * 48271) % 2147483647;
    return (state % 36).toString(36);
  }).join("");
};

/** Two built packages, of which one imports the other and carries WebAssembly. */
function built() {
  const packed = (name: string) => ({ name, type: "module", exports: "./index.js" });
  return repositoryOf({
    "packages/core/a/package.json": packed("@offprint/a"),
    "packages/core/a/index.js": `export const a = "${incompressible(3000, 1)}";\nexport const unused = "${incompressible(9000, 2)}";`,
    "packages/core/b/package.json": packed("@offprint/b"),
    "packages/core/b/index.js": 'export * from "@offprint/a";\nexport { wasmBytes } from "./wasm-bytes.js";',
    "packages/core/b/wasm-bytes.js": `export const wasmBytes = "${incompressible(9000, 3)}";`,
  });
}

it("measures an import without what it does not use", async () => {
  const entry = {
    package: "@offprint/a",
    title: "a",
    code: 'import { a } from "@offprint/a"; console.log(a);',
    limit: 1000,
  };
  const [row] = await measure(built(), undefined, { entries: [entry], own: {} });
  expect(row!.bytes).toBeGreaterThan(1500);
  expect(row!.bytes).toBeLessThan(3100);
  expect(row!.bytes).toBeGreaterThan(row!.limit);
});

it("measures what a package adds, without the others and without WebAssembly", async () => {
  const rows = await measure(built(), undefined, { entries: [], own: { "@offprint/a": 1000, "@offprint/b": 1000 } });
  const [a, b] = rows;
  expect(a!.bytes).toBeGreaterThan(7000);
  expect(b!.bytes).toBeLessThan(500);
});
