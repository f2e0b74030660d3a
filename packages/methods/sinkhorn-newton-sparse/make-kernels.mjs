/*
 * Compiles assembly/ to WebAssembly and writes src/kernels/wasm-bytes.ts, which is committed: sources run without a
 * build step. The exponential is that of tensor-core's kernels.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { hashOfSources, writeKernels } from "../../../tooling/kernels/kernels.mjs";

const base = new URL("../../../", import.meta.url);
const entry = "packages/methods/sinkhorn-newton-sparse/assembly/index.ts";
const borrowed = ["coefficients", "constants", "exponential", "lanes"].map(
  (name) => `packages/core/tensor-core/assembly/${name}.ts`,
);

/** Hash of all sources and of the compiler flags. */
export function sourceHash() {
  return hashOfSources([entry, ...borrowed].flatMap((path) => [`\n${path}\n`, readFileSync(new URL(path, base))]));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { default: compiler } = await import("assemblyscript/asc");
  const target = new URL("src/kernels/wasm-bytes.ts", import.meta.url);
  const options = ["--importMemory", "--noExportMemory"];
  await writeKernels({ compiler, entry, base, target, hash: sourceHash(), script: "make-kernels.mjs", options });
}
