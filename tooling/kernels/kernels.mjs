// WebAssembly kernels of a package: compiled from AssemblyScript, kept as a module of base64 text, so that sources run
// without a build step.
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** How all kernels are compiled: no runtime, no garbage collector, 128-bit vectors. */
const flags = ["-O3", "--converge", "--runtime", "stub", "--noAssert", "--enable", "simd", "--use", "abort="];

/**
 * Hash of the compiler flags and of the sources.
 *
 * @param {Iterable<string | Uint8Array>} parts what the sources are made of, in a fixed order
 */
export function hashOfSources(parts) {
  const hash = createHash("sha256").update(flags.join(" "));
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

/**
 * What is used of AssemblyScript's compiler.
 *
 * @typedef {object} Compiler
 * @property {(options: string[], api: { writeFile: (name: string, contents: string | Uint8Array) => void }) => Promise<{ error: Error | null, stderr: { toString(): string } }>} main
 */

/**
 * Compiles an entry and writes it as a TypeScript module.
 *
 * @param {object} kernels
 * @param {Compiler} kernels.compiler `assemblyscript/asc` of the package that owns the sources
 * @param {string} kernels.entry path of the entry, from `base`
 * @param {URL} kernels.base folder in which imports resolve
 * @param {URL} kernels.target the module to write
 * @param {string} kernels.hash of the sources
 * @param {string} kernels.script name of the script that calls this
 * @param {readonly string[]} [kernels.options] further options of the compiler
 */
export async function writeKernels({ compiler, entry, base, target, hash, script, options: further = [] }) {
  /** @type {Uint8Array | undefined} */
  let binary;
  const options = [entry, "--baseDir", fileURLToPath(base), "--outFile", "kernels.wasm", ...flags, ...further];
  const { error, stderr } = await compiler.main(options, {
    writeFile: (name, contents) => {
      if (name.endsWith(".wasm")) binary = /** @type {Uint8Array} */ (contents);
    },
  });
  if (error || !binary) throw new Error(`AssemblyScript: ${error?.message}\n${stderr}`);
  const text = [
    `// Written by ${script} from assembly/: change the sources there, not this file.`,
    "/** SHA-256 of the AssemblyScript sources and compiler flags. */",
    `export const sourceHash = "${hash}";`,
    "/** The WebAssembly module, in base64. */",
    `export const wasmBase64 = "${Buffer.from(binary).toString("base64")}";`,
    "",
  ].join("\n");
  writeFileSync(target, text);
  console.log(`kernels: ${binary.length} bytes of WebAssembly`);
}
