// For pages without a bundler: each package as one ES module per entry, what it takes from npm included, the packages
// of this repository left to an import map, so that a page has one tensor core.
import { existsSync, readdirSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

/** Parts of packages that run in Node, or belong to claims, commands and tests. */
const notForPages = new Set(["./node", "./claims", "./cli", "./conformance", "./testing", "./package.json"]);
/** Packages that run in Node only, or bring a runtime that a page gets in its own way. */
const forNode = new Set(["@offprint/commands", "@offprint/onnx-runtime"]);

/**
 * Whether an entry of a package may run in pages.
 *
 * @param {string} path as in `exports`
 */
export function runsInPages(path) {
  return path.startsWith(".") && !notForPages.has(path);
}

/**
 * The entries of a package that run in pages, by the name of their module in `dist/page`.
 *
 * @param {any} manifest
 * @returns {Map<string, string>} from "./internal" to "internal"
 */
export function pageEntries({ name, exports = {} }) {
  if (forNode.has(name) || !name.startsWith("@offprint/")) return new Map();
  const paths = Object.keys(exports).filter(runsInPages);
  return new Map(paths.map((path) => [path, path === "." ? "index" : path.slice(2).replaceAll("/", "-")]));
}

/** @param {string} folder */
function newest(folder) {
  let time = 0;
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const status = statSync(path);
    if (status.isDirectory()) time = Math.max(time, name === "page" ? 0 : newest(path));
    else if (name.endsWith(".js")) time = Math.max(time, status.mtimeMs);
  }
  return time;
}

/**
 * Builds `dist/page` of packages whose `dist` has changed since.
 *
 * @param {Array<{ directory: string, manifest: any }>} packages
 * @param {string} root where esbuild is installed
 */
export function buildPages(packages, root) {
  const { buildSync } = createRequire(join(root, "package.json"))("esbuild");
  for (const { directory, manifest } of packages) {
    const entries = manifest.private ? new Map() : pageEntries(manifest);
    const [dist, page] = [join(directory, "dist"), join(directory, "dist", "page", "index.js")];
    if (entries.size === 0 || !existsSync(dist)) continue;
    if (existsSync(page) && statSync(page).mtimeMs >= newest(dist)) continue;
    buildSync({
      entryPoints: Object.fromEntries(
        [...entries].map(([path, name]) => [name, join(directory, manifest.exports[path].default)]),
      ),
      outdir: join(dist, "page"),
      bundle: true,
      splitting: true,
      minify: true,
      format: "esm",
      platform: "browser",
      target: "es2022",
      // A module among the assets knows where the files beside it are, and so must stay beside them.
      external: ["@offprint/*", "node:*", join(directory, "assets", "*")],
      chunkNames: "part-[hash]",
      legalComments: "none",
      logLevel: "error",
    });
  }
}
