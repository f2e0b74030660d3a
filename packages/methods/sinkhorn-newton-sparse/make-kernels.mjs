/*
 * Compiles assembly/ to WebAssembly and writes src/kernels/wasm-bytes.ts, which is committed: sources run without a
 * build step. The exponential is that of tensor-core's kernels.
 */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = new URL("../../../", import.meta.url);
const entry = "packages/methods/sinkhorn-newton-sparse/assembly/index.ts";
const borrowed = ["coefficients", "constants", "exponential", "lanes"].map(
  (name) => `packages/core/tensor-core/assembly/${name}.ts`,
);
const target = new URL("src/kernels/wasm-bytes.ts", import.meta.url);
const flags = ["-O3", "--converge", "--runtime", "stub", "--noAssert", "--enable", "simd", "--use", "abort="];

/** Hash of all sources and of the compiler flags. */
export function sourceHash() {
  const hash = createHash("sha256").update(flags.join(" "));
  for (const path of [entry, ...borrowed]) hash.update(`\n${path}\n`).update(readFileSync(new URL(path, root)));
  return hash.digest("hex");
}

/** @returns {Promise<Uint8Array>} */
async function compile() {
  const { default: asc } = await import("assemblyscript/asc");
  /** @type {Uint8Array | undefined} */
  let binary;
  const { error, stderr } = await asc.main(
    [entry, "--baseDir", fileURLToPath(root), "--outFile", "kernels.wasm", ...flags],
    {
      writeFile: (name, contents) => {
        if (name.endsWith(".wasm")) binary = /** @type {Uint8Array} */ (contents);
      },
    },
  );
  if (error || !binary) throw new Error(`AssemblyScript: ${error?.message}\n${stderr}`);
  return binary;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const binary = await compile();
  const text = [
    "// Written by make-kernels.mjs from assembly/: change the sources there, not this file.",
    "/** SHA-256 of the AssemblyScript sources and compiler flags. */",
    `export const sourceHash = "${sourceHash()}";`,
    "/** The WebAssembly module, in base64. */",
    `export const wasmBase64 = "${Buffer.from(binary).toString("base64")}";`,
    "",
  ].join("\n");
  writeFileSync(target, text);
  console.log(`kernels: ${binary.length} bytes of WebAssembly`);
}
