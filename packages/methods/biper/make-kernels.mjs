/*
 * Compiles assembly/ to WebAssembly and writes src/pack/wasm-bytes.ts, which is committed: sources run without a build step.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { hashOfSources, writeKernels } from "../../../tooling/kernels/kernels.mjs";

const base = new URL(".", import.meta.url);
const entry = "assembly/index.ts";
const sources = [entry, "assembly/binary-convolution.ts", "assembly/signs.ts"];

/** Hash of the sources and of the compiler flags. */
export function sourceHash() {
  return hashOfSources(sources.flatMap((path) => [`\n${path}\n`, readFileSync(new URL(path, base))]));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { default: compiler } = await import("assemblyscript/asc");
  const target = new URL("src/pack/wasm-bytes.ts", base);
  const options = ["--importMemory", "--noExportMemory"];
  await writeKernels({ compiler, entry, base, target, hash: sourceHash(), script: "make-kernels.mjs", options });
}
