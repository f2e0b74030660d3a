import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { build, type SiteConfig } from "vitepress";
import { hashOf } from "./hash-of.js";
import { type SearchSection, searchIndex, sectionsOf } from "./search-index.js";

/** What is known of a page of the built site. */
interface BuiltPage {
  /** Hash of its Markdown. */
  readonly hash: string;
  /** Whether its script stands on nothing but what all pages share: then it is the same whichever others there are. */
  readonly alone: boolean;
  readonly sections: readonly SearchSection[];
}

/** What is kept beside a built site. */
interface Manifest {
  readonly settings: string;
  readonly pages: Readonly<Record<string, BuiltPage>>;
}

/** What is seen of pages while VitePress builds them. */
interface Seen {
  readonly alone: Map<string, boolean>;
  readonly sections: Map<string, readonly SearchSection[]>;
}

/** What a site is made of. */
export interface SiteParts {
  /** Folder with `.vitepress`. */
  readonly app: string;
  /** Markdown by path, as it lies in the configuration's `srcDir`. */
  readonly pages: ReadonlyMap<string, string>;
  /** Address of the site's root on its host, `/` or `/offprint/`. */
  readonly base: string;
  /** All that decides what a page becomes besides its Markdown and the base. */
  readonly settings: readonly string[];
  /** Folder of files that are served as they are. */
  readonly files: string;
  /** The built site; what is known of it is kept beside it. */
  readonly site: string;
  /** Changes VitePress's configuration before it begins. */
  readonly configure?: (config: SiteConfig) => void;
}

type Named<P> = P extends { name: string } ? P : never;
type VitePlugin = Named<NonNullable<NonNullable<SiteConfig["vite"]>["plugins"]>[number]>;

/** Scripts that all pages share. */
const shared = /^assets\/chunks\/(?:framework|theme)\./;
const ofPage = /\.md\.[\w-]{8}(?:\.lean)?\.js$/;
const metadata = /^assets\/chunks\/metadata\.[\w-]+\.js$/;

/** Address of a page as links have it. */
const addressOf = (base: string, page: string): string => `${base}${page.replace(/(?:(^|\/)index)?\.md$/, "$1")}`;
/** How VitePress calls the script of a page, and by what it finds it. */
const scriptOf = (page: string): string => page.replaceAll("/", "_");
const hashKey = (page: string): string => scriptOf(page).toLowerCase();

/**
 * Builds the site: only the pages that have changed, where the last build was of the same settings. The bytes are those
 * of a build from nothing. For a page is compiled by itself, and what the site says elsewhere of it is the hash in its
 * script's name, which stands in one file, and its text in the search.
 *
 * @returns how many pages VitePress has built
 */
export async function buildKeptSite(parts: SiteParts): Promise<number> {
  const { pages, site, files } = parts;
  const path = `${site}.json`;
  const next = `${site}-next`;
  const settings = hashOf([process.version, parts.base, ...parts.settings, ...pages.keys()]);
  const known = knownPages(path, settings, site);
  const hashes = new Map([...pages].map(([page, markdown]) => [page, hashOf([markdown])]));
  const changed = [...pages.keys()].filter((page) => !known?.[page]?.alone || known[page].hash !== hashes.get(page));
  const seen: Seen = { alone: new Map(), sections: new Map() };
  await run(parts, changed, next, seen);
  const others = [...pages.keys()].filter((page) => !seen.alone.has(page));
  const anew = others.length > 0 && !takeOver(site, next, others);
  if (anew) await run(parts, [...pages.keys()], next, seen);
  const all = [...pages.keys()].map((page): [string, BuiltPage] => [
    page,
    seen.alone.has(page)
      ? { hash: hashes.get(page)!, alone: seen.alone.get(page)!, sections: seen.sections.get(page) ?? [] }
      : known![page]!,
  ]);
  const sections = [...all]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([page, its]) => [addressOf(parts.base, page), its.sections] as const);
  writeFileSync(join(next, "search.json"), searchIndex(sections));
  cpSync(files, next, { recursive: true });
  rmSync(path, { force: true });
  rmSync(site, { recursive: true, force: true });
  renameSync(next, site);
  writeFileSync(path, JSON.stringify({ settings, pages: Object.fromEntries(all) } satisfies Manifest));
  return anew ? pages.size : changed.length;
}

/** The pages of the last build; nothing where it was of other settings or did not come to its end. */
function knownPages(path: string, settings: string, site: string): Manifest["pages"] | undefined {
  if (!existsSync(path) || !existsSync(site)) return undefined;
  try {
    const manifest = JSON.parse(readFileSync(path, "utf8")) as Manifest;
    return manifest.settings === settings ? manifest.pages : undefined;
  } catch {
    return undefined;
  }
}

/** Lets VitePress build some pages into a folder, and keeps what is seen of each. */
async function run(
  { app, base, configure }: SiteParts,
  names: readonly string[],
  output: string,
  { alone, sections }: Seen,
): Promise<void> {
  await build(app, {
    onAfterConfigResolve(config) {
      const watch: VitePlugin = {
        name: "watch-pages",
        generateBundle(_, bundle) {
          for (const file of Object.values(bundle)) {
            if (file.type !== "chunk" || !file.facadeModuleId?.endsWith(".md") || !ofPage.test(file.fileName)) continue;
            const page = relative(config.srcDir, file.facadeModuleId).split(sep).join("/");
            alone.set(page, file.moduleIds.length === 1 && file.imports.every((name) => shared.test(name)));
          }
        },
      };
      const { markdown, vite } = config;
      // A part of the pages does not know the others: links are judged where all pages are built, and by the tests.
      if (names.length < config.pages.length) config.ignoreDeadLinks = true;
      config.site.base = base;
      config.pages = [...names];
      config.outDir = output;
      config.vite = {
        ...vite,
        build: { ...vite?.build, copyPublicDir: false },
        plugins: [...(vite?.plugins ?? []), watch],
      };
      config.markdown = {
        ...markdown,
        config(md) {
          markdown?.config?.(md);
          const render = md.render.bind(md);
          md.render = (source, env) => {
            const html = render(source, env);
            sections.set(env.relativePath, sectionsOf(html));
            return html;
          };
        },
      };
      configure?.(config);
    },
  });
}

/**
 * Brings pages of the last build into one that has made the others.
 *
 * @returns false where what all pages share has become another
 */
function takeOver(site: string, next: string, pages: readonly string[]): boolean {
  const before = new Set(assetsOf(site));
  const made = assetsOf(next);
  const common = made.filter((path) => !ofPage.test(path) && !metadata.test(path));
  if (!common.every((path) => before.has(path))) return false;
  const hashesBefore = hashesOf(site);
  const hashesMade = hashesOf(next);
  const hashes = { ...hashesMade };
  for (const page of pages) hashes[hashKey(page)] = hashesBefore[hashKey(page)]!;
  const sorted = Object.fromEntries(Object.entries(hashes).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(join(next, "hashmap.json"), `${JSON.stringify(sorted)}\n`);
  const names = [...before, ...made].filter((path) => metadata.test(path));
  const name = replaceMetadata(next, made.find((path) => metadata.test(path))!, hashesMade, sorted);
  for (const page of pages) {
    for (const end of [".js", ".lean.js"]) {
      const script = join("assets", `${scriptOf(page)}.${hashes[hashKey(page)]}${end}`);
      cpSync(join(site, script), join(next, script));
    }
    const html = page.replace(/\.md$/, ".html");
    mkdirSync(dirname(join(next, html)), { recursive: true });
    cpSync(join(site, html), join(next, html));
  }
  for (const html of readdirSync(next, { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith(".html"),
  )) {
    const text = readFileSync(join(next, html), "utf8");
    writeFileSync(
      join(next, html),
      names.reduce((all, old) => all.replaceAll(old, name), text),
    );
  }
  return true;
}

/** Scripts and styles of a built site. */
function assetsOf(site: string): string[] {
  return readdirSync(join(site, "assets"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(site, join(parentPath, name)).split(sep).join("/"));
}

/** Hashes in the names of pages' scripts. */
function hashesOf(site: string): Record<string, string> {
  return JSON.parse(readFileSync(join(site, "hashmap.json"), "utf8"));
}

/**
 * Writes other hashes into the script that tells them to the page, whose name is the hash of what it says.
 *
 * @returns its new name
 */
function replaceMetadata(site: string, path: string, before: object, after: object): string {
  const told = (hashes: object) => `JSON.parse(${JSON.stringify(JSON.stringify(hashes))})`;
  const text = readFileSync(join(site, path), "utf8");
  if (!text.includes(told(before))) throw new Error(`${path} does not hold the hashes of ${site}/hashmap.json`);
  const changed = text.replace(told(before), () => told(after));
  const name = `assets/chunks/metadata.${createHash("sha256").update(changed).digest("hex").slice(0, 8)}.js`;
  rmSync(join(site, path));
  writeFileSync(join(site, name), changed);
  return name;
}
