/*
 * Compiles assembly/ to WebAssembly and writes src/kernels/wasm/wasm-bytes.ts, which is committed: sources run without
 * a build step. `node build-kernels.mjs --check` only says whether that file belongs to the present sources.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const assembly = new URL("assembly/", import.meta.url);
const target = new URL("src/kernels/wasm/wasm-bytes.ts", import.meta.url);
const flags = ["-O3", "--converge", "--runtime", "stub", "--noAssert", "--enable", "simd", "--use", "abort="];

/** Hash of the names and contents of all AssemblyScript sources and of the compiler flags. */
export function sourceHash() {
  const hash = createHash("sha256").update(flags.join(" "));
  for (const name of readdirSync(assembly).sort()) {
    if (name.endsWith(".ts")) hash.update(`\n${name}\n`).update(readFileSync(new URL(name, assembly)));
  }
  return hash.digest("hex");
}

/** @returns {Promise<Uint8Array>} */
async function compile() {
  const { default: asc } = await import("assemblyscript/asc");
  const base = fileURLToPath(new URL(".", import.meta.url));
  /** @type {Uint8Array | undefined} */
  let binary;
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

async function build() {
  const binary = await compile();
  const text = [
    "// Written by build-kernels.mjs from assembly/: change the sources there, not this file.",
    "/** SHA-256 of the AssemblyScript sources and compiler flags. */",
    `export const sourceHash = "${sourceHash()}";`,
    "/** The WebAssembly module, in base64. */",
    `export const wasmBase64 = "${Buffer.from(binary).toString("base64")}";`,
    "",
  ].join("\n");
  writeFileSync(target, text);
  console.log(`kernels: ${binary.length} bytes of WebAssembly`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes("--check")) {
    const current = readFileSync(target, "utf8").includes(`"${sourceHash()}"`);
    if (!current) {
      console.error("src/kernels/wasm/wasm-bytes.ts is older than assembly/: run `node build-kernels.mjs`");
      process.exitCode = 1;
    }
  } else {
    await build();
  }
}
