// `pnpm --filter @offprint/docs build`: generates the pages from the packages, then builds the site.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { plotStyles } from "@offprint/claims";
import { HighlightedCode } from "./highlighted-code.js";
import { buildKeptSite } from "./kept-site.js";
import { pageWeights, weightsText } from "./page-weights.js";
import { generateSite } from "./site.js";

const app = join(import.meta.dirname, "..", "..");
const root = join(app, "..", "..");

const start = performance.now();
const seconds = () => `${((performance.now() - start) / 1000).toFixed(1)} s`;

function write(folder: string, files: ReadonlyMap<string, string>): void {
  for (const [path, content] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}

const [pages, generated, output] = ["pages", "generated", "site"].map((name) => join(app, "dist", name)) as [
  string,
  string,
  string,
];
const cache = join(root, "node_modules", ".cache", "offprint");
for (const folder of [pages, generated]) rmSync(folder, { recursive: true, force: true });
const site = await generateSite({
  root,
  app,
  scratch: join(app, "dist", "reference"),
  cache,
  live: join(pages, "public", "live"),
});
write(pages, site.pages);
write(generated, site.data);
write(join(pages, "public"), site.files);
// The tests ask what is on the site that was built, which the repository may have outgrown since.
cpSync(join(generated, "catalogue.json"), join(app, "dist", "generator", "catalogue.json"));
writeFileSync(join(generated, "plots.css"), plotStyles(".dark"));
const font = createRequire(import.meta.url).resolve(
  "@fontsource-variable/source-serif-4/files/source-serif-4-latin-wght-normal.woff2",
);
cpSync(font, join(pages, "public", "fonts", basename(font)));
cpSync(join(app, "public"), join(pages, "public"), { recursive: true });
console.log(`generated ${site.pages.size} pages (${seconds()})`);

/** The text of files, and of all below folders, with their names. */
function textsOf(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    const below = statSync(path).isFile() ? [""] : readdirSync(path, { recursive: true, encoding: "utf8" }).sort();
    const names = below.filter((name) => statSync(join(path, name)).isFile());
    return names.flatMap((name) => [name, readFileSync(join(path, name), "utf8")]);
  });
}

const lock = join(root, "pnpm-lock.yaml");
const theme = join(app, ".vitepress");
const highlighted = new HighlightedCode(
  join(cache, "highlighted-code.json"),
  textsOf([lock, join(theme, "config.ts")]),
);
const built = await buildKeptSite({
  app,
  pages: site.pages,
  base: process.env.OFFPRINT_DOCS_BASE ?? "/",
  settings: [...textsOf([lock, join(theme, "config.ts"), join(theme, "theme"), join(app, "src"), generated])],
  files: join(pages, "public"),
  site: output,
  configure(config) {
    const { markdown } = config;
    config.markdown = {
      ...markdown,
      config(md) {
        markdown?.config?.(md);
        const { highlight } = md.options;
        if (highlight) md.options.highlight = highlighted.remembering(highlight);
      },
    };
  },
});
highlighted.save(built === site.pages.size);
console.log(`built ${built} of them (${seconds()}); ${weightsText(pageWeights(output))}`);
for (const note of site.notes) console.log(`note: ${note}`);
