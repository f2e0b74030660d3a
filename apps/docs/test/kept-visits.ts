import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { siteFolder } from "../serve.mjs";
import { withoutHashes } from "../site-content.mjs";

const app = join(import.meta.dirname, "..");
const root = join(app, "..", "..");

/** A file that keeps what was seen of pages. */
export const keptAt = (name: string): string => join(root, "node_modules", ".cache", "offprint", `${name}.json`);

/** What makes a page what it is in a browser, besides its own markup. */
function surroundings(site: string): string {
  const hash = createHash("sha256");
  const add = (path: string) => hash.update(relative(root, path)).update("\0").update(readFileSync(path));
  const below = (folder: string): string[] =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name));
  const own = [".vitepress", "src", "public", "test/site"].flatMap((folder) => below(join(app, folder)));
  // Other tests, which may run meanwhile, write programs below the folder.
  const tools = readdirSync(join(app, "test")).filter((name) => name.endsWith(".ts"));
  own.push(...tools.map((name) => join(app, "test", name)));
  const styles = below(join(site, "assets")).filter((path) => path.endsWith(".css"));
  for (const path of [...own.sort(), ...styles.sort(), join(root, "pnpm-lock.yaml")]) add(path);
  return hash.digest("hex");
}

/**
 * What was seen on pages, kept from one run of the tests to the next under the hash of all that decides it: laying out
 * every page at two widths takes minutes, and an edit changes few of them. `npm test -- --fresh` visits all.
 */
export class KeptVisits<V> {
  readonly #path: string;
  readonly #around: string;
  readonly #site: string;
  readonly #before: ReadonlyMap<string, V>;
  readonly #used = new Map<string, V>();

  /** @param path file that keeps them */
  constructor(path: string, site: string = siteFolder) {
    this.#path = path;
    this.#site = site;
    this.#around = surroundings(site);
    this.#before = process.env["OFFPRINT_FRESH"] === "1" ? new Map() : readVisits(path);
  }

  /** The hash of a page, by its address from the site's root. */
  keyOf(address: string): string {
    const file = `${address === "" || address.endsWith("/") ? `${address}index` : address}.html`;
    const markup = withoutHashes(readFileSync(join(this.#site, file.split("/").join(sep)), "utf8"));
    return createHash("sha256").update(`${this.#around}\0${address}\0`).update(markup).digest("base64url");
  }

  /** What was seen of a page under its key. */
  get(key: string): V | undefined {
    const visit = this.#before.get(key);
    if (visit !== undefined) this.#used.set(key, visit);
    return visit;
  }

  /** A visit worth keeping. */
  set(key: string, visit: V): void {
    this.#used.set(key, visit);
  }

  /** Keeps what this run has seen or used, and nothing else. */
  save(): void {
    mkdirSync(dirname(this.#path), { recursive: true });
    writeFileSync(this.#path, JSON.stringify([...this.#used]));
  }
}

/** The visits of a file; none where it is absent or damaged. */
function readVisits<V>(path: string): Map<string, V> {
  try {
    return new Map(JSON.parse(readFileSync(path, "utf8")) as [string, V][]);
  } catch {
    return new Map();
  }
}
