/*
 * Compiles assembly/ to WebAssembly and writes src/pack/wasm-bytes.ts, which is committed: sources run without a build step.
 */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const entry = new URL("assembly/index.ts", import.meta.url);
const target = new URL("src/pack/wasm-bytes.ts", import.meta.url);
const flags = ["-O3", "--converge", "--runtime", "stub", "--noAssert", "--enable", "simd", "--use", "abort="];

/** Hash of the source and of the compiler flags. */
export function sourceHash() {
  return createHash("sha256").update(flags.join(" ")).update(readFileSync(entry)).digest("hex");
}

/** @returns {Promise<Uint8Array>} */
async function compile() {
  const { default: asc } = await import("assemblyscript/asc");
  /** @type {Uint8Array | undefined} */
  let binary;
  const base = fileURLToPath(new URL(".", import.meta.url));
  const { error, stderr } = await asc.main(
    ["assembly/index.ts", "--baseDir", base, "--outFile", "kernels.wasm", ...flags],
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
    "/** SHA-256 of the AssemblyScript source and compiler flags. */",
    `export const sourceHash = "${sourceHash()}";`,
    "/** The WebAssembly module, in base64. */",
    `export const wasmBase64 = "${Buffer.from(binary).toString("base64")}";`,
    "",
  ].join("\n");
  writeFileSync(target, text);
  console.log(`kernels: ${binary.length} bytes of WebAssembly`);
}
