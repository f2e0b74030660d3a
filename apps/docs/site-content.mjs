// What of the built site's files is content. Names of built files have a hash of what is in them, so that an edit of any
// page changes what all others say, though not what they do.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { siteFolder } from "./serve.mjs";

/** Hashes in the names of what VitePress builds, and in the script that tells them to every page. */
const hashes = /\.[\w-]{8}(?=\.(?:lean\.)?(?:js|css|woff2)\b)|(?<=\.md\\?":\\?")[\w-]{8}(?=\\?")/g;
/** Those in the names of the bundles that pages start. */
const bundleHashes = /(?<=\b(?:worker|editor))-[A-Z0-9]{8}(?=\.js\b)/g;
/** Parts of bundles: they have no other name than the hash, of which follows all that they load. */
const part = /\bpart-[A-Z0-9]{8}\.js\b/g;

const isText = /\.(?:css|html|js|json|svg|txt)$/;

/** @param {string} text of a built file, or its path */
export const withoutHashes = (text) => text.replace(hashes, "").replace(bundleHashes, "");

/**
 * A hash of files of the built site as those see them who load them and no others: built files are the same under other
 * names, and so is a bundle that names other parts which are not among them.
 *
 * @param {readonly string[]} paths from the site's root, as they were in this build or an earlier one
 * @param {string} [site] its folder
 */
export function contentHash(paths, site = siteFolder) {
  /** @type {Map<string, string[]>} */
  const files = new Map();
  for (const file of readdirSync(site, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const path = join(file.parentPath, file.name);
    const name = withoutHashes(relative(site, path).split(sep).join("/"));
    files.set(name, [...(files.get(name) ?? []), path]);
  }
  const loaded = new Set(paths.flatMap((path) => path.match(part) ?? []));
  const hash = createHash("sha256");
  for (const name of [...new Set(paths.map(withoutHashes))].sort()) {
    hash.update(`\0${name}`);
    for (const path of (files.get(name) ?? []).sort()) {
      const content = readFileSync(path);
      hash.update("\0");
      if (!isText.test(path)) hash.update(content);
      else {
        const text = withoutHashes(content.toString("latin1"));
        hash.update(text.replace(part, (each) => (loaded.has(each) ? each : "part.js")));
      }
    }
  }
  return hash.digest("hex");
}
