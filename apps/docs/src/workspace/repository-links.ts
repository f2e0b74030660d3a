import { existsSync, statSync } from "node:fs";
import { join, posix } from "node:path";

/** Where the repository can be read. */
export const repositoryAddress = "https://github.com/offprint/offprint";

/** Documents of the repository that are pages of the site, by path from its root. */
const includedDocuments: Readonly<Record<string, string>> = {
  "docs/adding-a-method.md": "/guides/adding-a-method",
  "docs/adding-a-core-package.md": "/guides/adding-a-core-package",
  "docs/compiled-code.md": "/guides/compiled-code",
  "docs/numbers.md": "/guides/numbers",
  "CONTRIBUTING.md": "/guides/adding-a-method",
};

/** Where a file of the repository can be read: on the site when it has a page there, else in the repository. */
function addressOf(path: string, root: string): string {
  const parts = path.split("/");
  const isPackage = parts.length === 3 || (parts.length === 4 && parts[3] === "README.md");
  if (isPackage && parts[0] === "packages" && existsSync(join(root, ...parts.slice(0, 3), "package.json"))) {
    if (parts[1] === "methods") return `/methods/${parts[2]}`;
    if (parts[1] === "core") return `/packages/${parts[2]}`;
  }
  const included = includedDocuments[path];
  if (included) return included;
  const folder = statSync(join(root, path), { throwIfNoEntry: false })?.isDirectory() ?? false;
  return `${repositoryAddress}/${folder ? "tree" : "blob"}/main/${path}`;
}

/**
 * A link of a document as it must be on the site.
 *
 * @param target as written, relative to `folder`
 * @param folder of the document, from the repository's root
 */
export function siteLink(target: string, folder: string, root: string): string {
  if (/^(?:[a-z][a-z+.-]*:|#|\/)/i.test(target)) return target;
  const [path = "", anchor] = target.split("#");
  const resolved = posix.normalize(posix.join(folder, path)).replace(/\/$/, "");
  return addressOf(resolved, root) + (anchor === undefined ? "" : `#${anchor}`);
}
