import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";

const app = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "offprint-kept-site-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

/** Builds the pages in a process of its own, as VitePress knows one site at a time; gives how many it built. */
function build(pages: Record<string, string>, site: string, settings: readonly string[] = []): number {
  rmSync(join(folder, "pages"), { recursive: true, force: true });
  for (const [path, text] of Object.entries(pages)) write(`pages/${path}`, text);
  write("pages/public/pictures/a.svg", "<svg/>");
  const program = `
    import { buildKeptSite } from ${JSON.stringify(pathToFileURL(join(app, "src", "kept-site.ts")).href)};
    const { app, files, site, pages, settings } = ${JSON.stringify({
      app: folder,
      files: join(folder, "pages", "public"),
      site: join(folder, site),
      pages: Object.entries(pages),
      settings,
    })};
    const built = await buildKeptSite({ app, base: "/", files, site, pages: new Map(pages), settings });
    console.log("built", built);`;
  const loader = pathToFileURL(join(app, "..", "..", "tooling", "typescript", "register.mjs")).href;
  const words = [`--import=${loader}`, "--input-type=module", "--eval", program];
  const { stdout, stderr } = spawnSync(process.execPath, words, { cwd: app, encoding: "utf8" });
  const [, count] = /^built (\d+)$/m.exec(stdout) ?? [];
  if (count === undefined) throw new Error(stdout + stderr);
  return Number(count);
}

/** All files of a built site, with their bytes. */
function bytesOf(site: string): Map<string, string> {
  const files = readdirSync(join(folder, site), { recursive: true, withFileTypes: true }).filter((file) =>
    file.isFile(),
  );
  return new Map(
    files
      .map(({ parentPath, name }) => join(parentPath, name))
      .sort()
      .map((path) => [path.slice(join(folder, site).length), readFileSync(path, "latin1")]),
  );
}

const pages = {
  "index.md": "# Home\n\n![A picture](/pictures/a.svg)\n\n[To the first](/api/first)\n",
  "gallery.md": "# Gallery\n\n![The same picture](/pictures/a.svg)\n",
  "api/first.md": "# First\n\nText.\n\n## Part\n\nMore.\n",
  "api/second.md": "# Second\n\n| a | b |\n| - | - |\n| 1 | 2 |\n",
};
const edited = { ...pages, "api/first.md": "# First\n\nOther text.\n\n## Part\n\n### Smaller\n\nMore.\n" };

beforeAll(() => {
  symlinkSync(join(app, "node_modules"), join(folder, "node_modules"));
  write("package.json", '{ "type": "module" }');
  write(".vitepress/config.js", 'export default { srcDir: "pages", cleanUrls: true, metaChunk: true };');
  // As the site's own theme does, it uses what pages compile to.
  write(
    ".vitepress/theme/index.js",
    `import { Content } from "vitepress";
    import { createElementBlock, createElementVNode, createStaticVNode, createTextVNode, h, openBlock } from "vue";
    const Layout = () => {
      openBlock();
      const block = createElementBlock("p", null, [createTextVNode("of"), createStaticVNode("<b>all</b>", 1)]);
      return h("main", [block, createElementVNode("p"), h(Content)]);
    };
    export default { Layout };`,
  );
});

it("builds pages that have changed, to the bytes of a build from nothing", () => {
  expect(build(pages, "site")).toBe(4);
  const first = bytesOf("site");
  // Beside the changed page, those that share a picture.
  expect(build(edited, "site")).toBe(3);
  const changed = bytesOf("site");
  expect(changed.get("/api/first.html")).toContain("Other text.");
  expect(changed.get("/api/second.html")).not.toBe(first.get("/api/second.html"));
  expect(JSON.parse(changed.get("/search.json")!).documentCount).toBe(6);
  expect(build(edited, "from-nothing")).toBe(4);
  expect(bytesOf("from-nothing")).toEqual(changed);
});

it("builds all pages where one needs of the framework what none has needed, or the settings are others", () => {
  expect(build({ ...edited, "api/second.md": "# Second\n\n{{ 1 + 1 }}\n" }, "site")).toBe(4);
  expect(bytesOf("site").get("/api/first.html")).toContain("Other text.");
  expect(build(edited, "site", ["another"])).toBe(4);
});
