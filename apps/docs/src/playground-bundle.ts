import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { type BuildOptions, build, type Plugin } from "esbuild";
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

/** Bundles modules for the page into `output`; gives the file of each by its name. */
async function bundle(output: string, options: BuildOptions): Promise<(entry: string) => string> {
  mkdirSync(output, { recursive: true });
  const { metafile } = await build({
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
    legalComments: "none",
    logLevel: "error",
    ...options,
    metafile: true,
  });
  return (entry) => {
    const found = Object.entries(metafile!.outputs).find(([, { entryPoint }]) => entryPoint?.endsWith(entry));
    if (!found) throw new Error(`the bundle has no ${entry}`);
    return basename(found[0]);
  };
}

/**
 * Bundles the worker and the editor into `output`, with names that change when their content does.
 *
 * @param source folder with `worker.ts` and `editor.ts`
 * @param output folder that becomes `/live/` on the site
 */
export async function bundlePlayground(workspace: Workspace, source: string, output: string): Promise<PlaygroundFiles> {
  const fileOf = await bundle(output, {
    entryPoints: [join(source, "worker.ts"), join(source, "editor.ts")],
    plugins: [
      moduleAssets(output),
      workspacePackages(importableEntries(workspace), join(source, "runtime-binding.ts")),
    ],
  });
  for (const name of binaries) copyFileSync(runtimeFile(name), join(output, name));
  return { worker: `/live/${fileOf("worker.ts")}`, editor: `/live/${fileOf("editor.ts")}` };
}

/** The libraries that the page of the benchmark compares. */
const compared = ["@offprint/tensor-core", "@jax-js/jax", "@tensorflow/tfjs-core", "onnxruntime-web"];

/** Tells the benchmark which versions it has. */
function libraryVersions(app: string): Plugin {
  const versionOf = (name: string): string =>
    JSON.parse(readFileSync(join(app, "node_modules", name, "package.json"), "utf8")).version;
  const versions = Object.fromEntries(compared.map((name) => [name, versionOf(name)]));
  return {
    name: "library-versions",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^virtual:versions$/ }, ({ path }) => ({ path, namespace: "versions" }));
      onLoad({ filter: /.*/, namespace: "versions" }, () => ({
        contents: `export const versions = ${JSON.stringify(versions)};`,
        loader: "js",
      }));
    },
  };
}

/**
 * Bundles the worker of the benchmark, with the libraries that it compares, into a folder of its own: nothing of it is
 * loaded by any other page. Notices of licences stand in files beside the code, which names them.
 *
 * @param app this package
 * @param output folder that becomes `/live/` on the site
 * @returns the worker's address
 */
export async function bundleBenchmark(
  workspace: Workspace,
  app: string,
  output: string,
): Promise<{ readonly worker: string }> {
  const folder = join(output, "benchmark");
  const fileOf = await bundle(folder, {
    entryPoints: [join(app, "src", "benchmark", "worker.ts")],
    legalComments: "linked",
    // TensorFlow.js has branches for Node.
    external: ["fs", "path", "crypto", "worker_threads", "perf_hooks", "os", "util", "node-fetch"],
    plugins: [
      moduleAssets(folder),
      libraryVersions(app),
      workspacePackages(importableEntries(workspace), join(app, "src", "playground", "runtime-binding.ts")),
    ],
  });
  const kernels = join(dirname(require.resolve("@tensorflow/tfjs-backend-wasm")), "..", "dist");
  for (const name of ["", "-simd", "-threaded-simd"].map((kind) => `tfjs-backend-wasm${kind}.wasm`)) {
    copyFileSync(join(kernels, name), join(folder, name));
  }
  copyFileSync(join(app, "node_modules", "@jax-js", "jax", "LICENSE"), join(folder, "jax-js.LICENSE.txt"));
  return { worker: `/live/benchmark/${fileOf("worker.ts")}` };
}
