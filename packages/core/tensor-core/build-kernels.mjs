/*
 * Compiles assembly/ to WebAssembly and writes src/kernels/wasm/wasm-bytes.ts, and assembly/fft/ to fft-bytes.ts beside
 * it; both are committed: sources run without a build step. `node build-kernels.mjs --check` only says whether they
 * belong to the present sources.
 */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { hashOfSources, writeKernels } from "../../../tooling/kernels/kernels.mjs";

const base = new URL(".", import.meta.url);
const assembly = new URL("assembly/", base);
const modules = [
  { entry: "assembly/index.ts", target: "src/kernels/wasm/wasm-bytes.ts" },
  { entry: "assembly/fft/index.ts", target: "src/kernels/wasm/fft-bytes.ts" },
];
// They work in the memory of whoever calls them: that of compiled functions, among others.
const options = ["--importMemory", "--noExportMemory"];

/** Hash of the names and contents of all AssemblyScript sources and of the compiler flags. */
export function sourceHash() {
  const names = readdirSync(assembly, { recursive: true })
    .map((name) => String(name).replaceAll("\\", "/"))
    .sort();
  const sources = names.filter((name) => name.endsWith(".ts"));
  return hashOfSources(sources.flatMap((name) => [`\n${name}\n`, readFileSync(new URL(name, assembly))]));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!process.argv.includes("--check")) {
    const { default: compiler } = await import("assemblyscript/asc");
    for (const { entry, target } of modules) {
      await writeKernels({
        compiler,
        entry,
        base,
        target: new URL(target, base),
        hash: sourceHash(),
        script: "build-kernels.mjs",
        options,
      });
    }
  } else {
    for (const { target } of modules) {
      if (readFileSync(new URL(target, base), "utf8").includes(`"${sourceHash()}"`)) continue;
      console.error(`${target} is older than assembly/: run \`node build-kernels.mjs\``);
      process.exitCode = 1;
    }
  }
}
