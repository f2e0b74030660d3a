// `pnpm --filter @offprint/docs build`: generates the pages from the packages, then builds the site.
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { plotStyles } from "@offprint/claims";
import { build as buildSite } from "vitepress";
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

const [pages, generated] = [join(app, "dist", "pages"), join(app, "dist", "generated")];
for (const folder of [pages, generated]) rmSync(folder, { recursive: true, force: true });
const site = await generateSite({
  root,
  app,
  scratch: join(generated, "reference"),
  cache: join(root, "node_modules", ".cache", "offprint"),
  live: join(pages, "public", "live"),
});
write(pages, site.pages);
write(generated, site.data);
write(join(pages, "public"), site.files);
// The tests ask what is on the site that was built, which the repository may have outgrown since.
for (const name of ["catalogue.json", "examples.json"]) {
  cpSync(join(generated, name), join(app, "dist", "generator", name));
}
writeFileSync(join(generated, "plots.css"), plotStyles(".dark"));
const font = createRequire(import.meta.url).resolve(
  "@fontsource-variable/source-serif-4/files/source-serif-4-latin-wght-normal.woff2",
);
cpSync(font, join(pages, "public", "fonts", basename(font)));
cpSync(join(app, "public"), join(pages, "public"), { recursive: true });
console.log(`generated ${site.pages.size} pages (${seconds()})`);
await buildSite(app);
console.log(`built the site (${seconds()}); ${weightsText(pageWeights(join(app, "dist", "site")))}`);
for (const note of site.notes) console.log(`note: ${note}`);
