// Sizes of what users download: bundled for a browser from the built packages, minified, gzipped.
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

/**
 * @typedef {object} Row
 * @property {string} title
 * @property {number} bytes
 * @property {number} limit bytes
 */

/** The WebAssembly kernels travel as one module of bytes; a page may load it apart, so it has no part in the budget. */
const webAssembly = /[\\/](wasm|fft)-bytes\.js$/;

/** @type {import("esbuild").Plugin} */
const withoutWebAssembly = {
  name: "without-webassembly",
  setup({ onLoad }) {
    onLoad({ filter: webAssembly }, async ({ path }) => {
      const names = (await readFile(path, "utf8")).matchAll(/export const (\w+)/g);
      return { contents: Array.from(names, ([, name]) => `export const ${name} = "";`).join("\n"), loader: "js" };
    });
  },
};

/**
 * @param {string} code
 * @param {string} directory where its imports resolve
 * @param {string[]} external packages that are left out
 */
async function gzippedSize(code, directory, external) {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: directory, loader: "js" },
    bundle: true,
    write: false,
    minify: true,
    format: "esm",
    platform: "browser",
    external,
    logLevel: "silent",
    plugins: [withoutWebAssembly],
  });
  return gzipSync(outputFiles[0].contents, { level: 9 }).length;
}

/**
 * @typedef {object} Budgets
 * @property {Array<{ package: string, title: string, code: string, limit: number }>} entries whole imports
 * @property {Record<string, number>} own what a package adds to the other packages of the repository
 */

/** @returns {Budgets} */
function readBudgets() {
  return JSON.parse(readFileSync(new URL("budgets.json", import.meta.url), "utf8"));
}

/**
 * Measures what the budgets list.
 *
 * @param {import("../checks/repository.mjs").Repository} repository
 * @param {import("../checks/repository.mjs").Package[]} [selected] all when left out
 * @param {Budgets} [budgets] those of budgets.json when left out
 * @returns {Promise<Row[]>}
 */
export async function measure(repository, selected = repository.packages, { entries, own } = readBudgets()) {
  const rows = [];
  for (const { name, directory } of selected) {
    for (const entry of entries.filter((each) => each.package === name)) {
      rows.push({ title: entry.title, bytes: await gzippedSize(entry.code, directory, []), limit: entry.limit });
    }
    if (!(name in own)) continue;
    const others = repository.packages.map((pkg) => pkg.name).filter((other) => other !== name);
    const bytes = await gzippedSize(`export * from "${name}";`, directory, others);
    rows.push({ title: `${name}, without the packages it stands on`, bytes, limit: own[name] });
  }
  return rows;
}
