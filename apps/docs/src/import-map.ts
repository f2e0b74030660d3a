import type { Package, Workspace } from "./workspace/workspace.js";

/** Parts of packages that run in Node, or belong to claims, commands and tests. */
const notForPages = new Set(["./node", "./claims", "./cli", "./conformance", "./testing", "./package.json"]);

/** Where packages can be had by pages that have no bundler. */
const network = "https://cdn.jsdelivr.net/npm";

/** The modules that a page without a bundler needs for a package, by what is imported. */
export function importMapOf(pkg: Package, { core, methods }: Workspace): Record<string, string> {
  const byName = new Map([...core, ...methods].map((each) => [each.name, each]));
  const imports = new Map<string, string>();
  const seen = new Set<string>();
  const visit = (each: Package | undefined) => {
    if (!each || seen.has(each.name)) return;
    seen.add(each.name);
    for (const { path, specifier } of each.forPages ? each.entryPoints : []) {
      if (notForPages.has(path)) continue;
      const module = path === "." ? "index" : path.slice(2).replaceAll("/", "-");
      imports.set(specifier, `${network}/${each.name}@${each.version}/dist/page/${module}.js`);
    }
    for (const name of each.dependencies) visit(byName.get(name));
  };
  visit(pkg);
  return Object.fromEntries([...imports].sort(([a], [b]) => (a < b ? -1 : 1)));
}
