import { copyFileSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { build, type Plugin } from "esbuild";
import { moduleAssets } from "./module-assets.js";
import type { EntryPoint, Workspace } from "./workspace/workspace.js";

const require = createRequire(import.meta.url);

/** Where the page finds the parts of the playground. */
export interface PlaygroundFiles {
  /** Address of the worker that runs programs. */
  readonly worker: string;
  /** Address of the module with the editor. */
  readonly editor: string;
}

/** Parts of packages that run in Node, or belong to their claims, commands and tests. */
const notForPages = new Set(["./node", "./claims", "./cli", "./conformance", "./package.json"]);

/** Packages that run in Node only. */
const forNode = new Set(["commands"]);

/** What a page can import: the packages, and their parts that run everywhere. */
export function importableEntries({ core, methods }: Workspace): EntryPoint[] {
  const inPages = [...core, ...methods].filter(({ slug }) => !forNode.has(slug));
  return inPages.flatMap(({ entryPoints }) => entryPoints.filter(({ path }) => !notForPages.has(path)));
}

/** The packages come from their sources, found by name wherever they are imported; a new one needs no entry here. */
function workspacePackages(entries: readonly EntryPoint[], binding: string): Plugin {
  const sources = new Map(entries.map(({ specifier, source }) => [specifier, source]));
  return {
    name: "workspace-packages",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^@offprint\// }, ({ path }) => {
        const source = sources.get(path);
        return source ? { path: source, sideEffects: path === "@offprint/tensor-core" } : undefined;
      });
      onResolve({ filter: /^virtual:packages$/ }, () => ({ path: "packages", namespace: "playground" }));
      onLoad({ filter: /.*/, namespace: "playground" }, () => ({
        contents: `export const packages = {${entries
          .map(({ specifier }) => `${JSON.stringify(specifier)}: () => import(${JSON.stringify(specifier)})`)
          .join(",")}};`,
        loader: "js",
        resolveDir: dirname(binding),
      }));
      // The runtime is set up for the worker by a module of the playground, which alone imports the real one.
      onResolve({ filter: /^onnxruntime-web$/ }, () => ({ path: binding }));
    },
  };
}

function runtimeFile(name: string): string {
  return join(dirname(require.resolve("onnxruntime-web")), name);
}

/** ONNX Runtime's binaries, which the page loads from the site itself. */
const binaries = ["ort-wasm-simd-threaded.wasm", "ort-wasm-simd-threaded.asyncify.wasm"];

/**
 * Bundles the worker and the editor into `output`, with names that change when their content does.
 *
 * @param source folder with `worker.ts` and `editor.ts`
 * @param output folder that becomes `/live/` on the site
 */
export async function bundlePlayground(workspace: Workspace, source: string, output: string): Promise<PlaygroundFiles> {
  mkdirSync(output, { recursive: true });
  const result = await build({
    entryPoints: [join(source, "worker.ts"), join(source, "editor.ts")],
    outdir: output,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    conditions: ["@offprint/source", "module"],
    entryNames: "[name]-[hash]",
    chunkNames: "part-[hash]",
    minify: true,
    metafile: true,
    legalComments: "none",
    logLevel: "error",
    plugins: [
      moduleAssets(output),
      workspacePackages(importableEntries(workspace), join(source, "runtime-binding.ts")),
    ],
  });
  for (const name of binaries) copyFileSync(runtimeFile(name), join(output, name));
  const named = (entry: string) => {
    const found = Object.entries(result.metafile.outputs).find(([, { entryPoint }]) => entryPoint?.endsWith(entry));
    if (!found) throw new Error(`the playground has no ${entry}`);
    return `/live/${basename(found[0])}`;
  };
  return { worker: named("worker.ts"), editor: named("editor.ts") };
}
