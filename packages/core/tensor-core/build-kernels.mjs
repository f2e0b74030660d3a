/*
 * Compiles assembly/ to WebAssembly and writes src/kernels/wasm/wasm-bytes.ts, which is committed: sources run without
 * a build step. `node build-kernels.mjs --check` only says whether that file belongs to the present sources.
 */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { hashOfSources, writeKernels } from "../../../tooling/kernels/kernels.mjs";

const base = new URL(".", import.meta.url);
const assembly = new URL("assembly/", base);
const target = new URL("src/kernels/wasm/wasm-bytes.ts", base);

/** Hash of the names and contents of all AssemblyScript sources and of the compiler flags. */
export function sourceHash() {
  const names = readdirSync(assembly).sort();
  const sources = names.filter((name) => name.endsWith(".ts"));
  return hashOfSources(sources.flatMap((name) => [`\n${name}\n`, readFileSync(new URL(name, assembly))]));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!process.argv.includes("--check")) {
    const { default: compiler } = await import("assemblyscript/asc");
    await writeKernels({
      compiler,
      entry: "assembly/index.ts",
      base,
      target,
      hash: sourceHash(),
      script: "build-kernels.mjs",
    });
  } else if (!readFileSync(target, "utf8").includes(`"${sourceHash()}"`)) {
    console.error("src/kernels/wasm/wasm-bytes.ts is older than assembly/: run `node build-kernels.mjs`");
    process.exitCode = 1;
  }
}
