// The import map of a page without a bundler: a package, and what it stands on in this repository.
import { pageEntries } from "../setup/pages.mjs";

/**
 * @param {string} name of a package
 * @param {(name: string) => any} manifestOf
 * @param {(manifest: any) => string} addressOf of the folder of a package
 * @returns {Record<string, string>} addresses of modules by what is imported
 */
export function importMap(name, manifestOf, addressOf) {
  /** @type {Record<string, string>} */
  const imports = {};
  /** @type {Set<string>} */
  const seen = new Set();
  const visit = (/** @type {string} */ each) => {
    if (seen.has(each)) return;
    seen.add(each);
    const manifest = manifestOf(each);
    for (const [path, module] of pageEntries(manifest)) {
      imports[each + path.slice(1)] = `${addressOf(manifest)}/dist/page/${module}.js`;
    }
    for (const dependency of Object.keys(manifest.dependencies ?? {})) {
      if (dependency.startsWith("@offprint/")) visit(dependency);
    }
  };
  visit(name);
  return Object.fromEntries(Object.entries(imports).sort(([a], [b]) => (a < b ? -1 : 1)));
}
