import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

/**
 * Modules that threads and processes of Node can load, made of TypeScript sources; they share what they import.
 *
 * @param entries paths of the sources, by name
 * @param folder where they go: `{ jobs: path }` is `jobs.mjs` there
 * @returns their addresses, by name
 */
export async function bundleModules<N extends string>(
  entries: Readonly<Record<N, string>>,
  folder: string,
): Promise<Record<N, URL>> {
  await build({
    entryPoints: { ...entries },
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    minifyWhitespace: true,
    splitting: true,
    platform: "node",
    format: "esm",
    target: "node20",
    conditions: ["@offprint/source"],
    banner: {
      js: "import { createRequire as offprintRequire } from 'node:module'; const require = offprintRequire(import.meta.url);",
    },
    logLevel: "silent",
  });
  const addresses = Object.keys(entries).map((name) => [name, pathToFileURL(join(folder, `${name}.mjs`))]);
  return Object.fromEntries(addresses);
}
