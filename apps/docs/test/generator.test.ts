import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { badge, withBadge } from "../src/claims/badge.js";
import { compactRun } from "../src/claims/compact-run.js";
import { readStoredRuns, sourcesOf } from "../src/claims/stored-runs.js";
import { readGuides } from "../src/pages/guides.js";
import { referencePages } from "../src/reference/reference.js";
import { type GeneratedSite, generateSite } from "../src/site.js";
import { forSite, parseDocument } from "../src/workspace/markdown-document.js";
import { siteLink } from "../src/workspace/repository-links.js";
import { readExample, readWorkspace } from "../src/workspace/workspace.js";

const app = join(import.meta.dirname, "..");
const repository = join(app, "..", "..");
const scratch = mkdtempSync(join(tmpdir(), "offprint-site-"));
const root = join(scratch, "workspace");
const live = join(scratch, "live");

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe("a package is on the site because its folder is there", () => {
  let site: GeneratedSite;
  const page = (path: string) => site.pages.get(path) ?? "";
  const data = (name: string) => JSON.parse(site.data.get(name) ?? "null");

  beforeAll(async () => {
    // The fixture is a repository of two packages; what compiles it is this one's.
    cpSync(join(import.meta.dirname, "fixtures", "workspace"), root, { recursive: true });
    for (const name of ["tsconfig.base.json", "node_modules"]) symlinkSync(join(repository, name), join(root, name));
    site = await generateSite({ root, app, scratch: join(scratch, "reference"), cache: join(scratch, "cache"), live });
  });
  it("has a page with its paper, its links and its README", () => {
    const text = page("methods/halving.md");
    expect(text).toContain("# Halve an &lt;error&gt;");
    expect(text.indexOf("For people whose error")).toBeLessThan(text.indexOf("On Halving</p>"));
    expect(text).toContain("Ada Ångström, Bo &lt;Bar&gt;");
    expect(text).toContain("[Paper](https://arxiv.org/abs/2101.00001)");
    expect(text).toContain("[Authors' code](https://example.org/halving)");
    expect(text).toContain("[API](/api/halving)");
    expect(text).toContain("[Playground](/playground#halving/steps)");
    expect(text).toContain("@article{halving}");
    expect(text).toContain("Takes a Map&lt;string, number> and &#123;&#123; halves }} it.");
  });

  it("shows the values, verdicts and plots of the last stored run, and that it is of an older version", () => {
    const text = page("methods/halving.md");
    expect(text).toContain("1 of 2 claims hold");
    expect(text).toContain("✓ holds");
    expect(text).toContain("✗ does not hold");
    expect(text).toMatch(/<svg[^>]*aria-label="Error over the halvings/);
    expect(text).toContain("2026-01-02 03:04 UTC");
    expect(text).toContain("The package has changed since, and is now at version 0.2.0.");
    expect(text.indexOf("thousandfold")).toBeLessThan(text.indexOf("## Measured"));
    expect(text.indexOf("## Measured")).toBeLessThan(text.indexOf("## Citation"));
  });

  it("is shown by the picture of its program: on its page, at home and in the gallery", () => {
    const svg =
      '<svg xmlns="http://www.w3.org/2000/svg" class="offprint-plot" viewBox="0 0 480 300"><path d="M0 0"/></svg>';
    const text = page("methods/halving.md");
    expect(text).toContain(`<figure class="picture" v-pre>${svg}</figure>`);
    expect(text).not.toContain("steps.svg");
    expect(text).not.toContain("badge.svg");
    for (const path of ["index.md", "gallery.md"]) {
      expect(page(path)).toContain('src="/pictures/halving/steps.light.svg"');
      expect(page(path)).toContain('src="/pictures/halving/steps.dark.svg"');
    }
    expect(page("gallery.md")).toContain('href="/playground#halving/steps"');
    expect(page("index.md")).toContain("Halve an &lt;error&gt;");
    const [light, dark] = ["light", "dark"].map(
      (shade) => site.files.get(`/pictures/halving/steps.${shade}.svg`) ?? "",
    );
    expect(light).toMatch(/^<svg[^>]*><style>.*<path/);
    expect(light).not.toContain("@media");
    expect(dark).not.toContain("@media");
    expect(dark).not.toBe(light);
    expect(JSON.stringify(data("examples.json"))).not.toContain("<svg");
  });

  it("says how a page without a bundler imports it", () => {
    const text = page("methods/halving.md");
    const map = JSON.parse(/<script type="importmap">(.*?)<\/script>/s.exec(text)![1]!);
    const address = "https://cdn.jsdelivr.net/npm/@offprint/halving@0.2.0/dist/page/index.js";
    expect(map).toEqual({ imports: { "@offprint/halving": address, "@offprint/sums": expect.any(String) } });
    expect(text.indexOf("In a page without a bundler")).toBeLessThan(text.indexOf("## Usage"));
    expect(page("packages/sums.md")).not.toContain('importmap">\n{\n  "imports": {}');
  });

  it("lets its README's programs be opened in the playground, without their types", () => {
    const text = page("methods/halving.md");
    expect(text).toContain('<p class="open-program"><a href="/playground#readme/halving/1">');
    const program = data("readme-programs.json").find(({ id }: { id: string }) => id === "readme/halving/1");
    expect(program.code).toContain("const error = halve(1);");
  });

  it("is in the guide that says which method to take, whether or not that speaks of it", () => {
    const text = page("guides/which-method.md");
    expect(text).toContain("## Also here");
    expect(text).toContain("| [halving](/methods/halving) | **Halve an &lt;error&gt;.** For people whose error");
    expect(text.match(/Also here/g)).toHaveLength(1);
    expect(site.files.get("/llms.txt")).toContain("- [Which method to take](/guides/which-method)");
  });

  it("is told to programs that read, and to who builds the site when its claims have not run", () => {
    expect(site.files.get("/llms.txt")).toContain(
      '- [@offprint/halving](/methods/halving): Halve an <error>. For people whose error is twice too large. From "On Halving" (2021).',
    );
    expect(site.notes).toEqual([expect.stringMatching(/no stored run of the present sources: halving/)]);
  });

  it("is in the catalogue, the side bar and on the home page", () => {
    expect(data("catalogue.json")).toEqual([
      expect.objectContaining({
        slug: "halving",
        area: "Numerics",
        claims: { held: 1, of: 2 },
        keywords: ["bisection", "root finding"],
      }),
    ]);
    expect(data("sidebar.json").methods).toEqual([
      { text: "Numerics", items: [{ text: "halving", link: "/methods/halving" }] },
    ]);
    expect(page("index.md")).toContain("On Halving");
    expect(page("index.md")).toContain("1 method in 1 area, on 1 core package");
  });

  it("has its API in the reference, with links between packages and to the sources", () => {
    const text = page("api/halving.md");
    expect(text).toContain("### halve()");
    expect(text.indexOf('import { halve } from "@offprint/halving";')).toBeLessThan(text.indexOf("### halve()"));
    expect(text.indexOf("### halve()")).toBeLessThan(text.indexOf("### HalvingOptions"));
    expect(text).toContain("Number of halvings, at least 1. Default 10.");
    expect(text).toContain("(/api/halving#halvingoptions)");
    expect(text).toContain("https://github.com/offprint/offprint/blob/main/packages/methods/halving/src/index.ts#L10");
    expect(page("api/sums.md")).toContain("### addNumbers()");
    expect(page("api/index.md")).toContain("(/api/halving)");
  });

  it("has its API read anew where its sources changed, and only there", async () => {
    const source = join(root, "packages", "methods", "halving", "src", "index.ts");
    const before = readFileSync(source, "utf8");
    const pages = () =>
      referencePages(readWorkspace(root), join(scratch, "again"), join(scratch, "cache", "reference.json"));
    const same = await pages();
    expect(existsSync(join(scratch, "again"))).toBe(false);
    for (const [path, content] of same) expect(page(`api/${path}`)).toBe(content);
    try {
      writeFileSync(source, before.replace("Number of halvings, at least 1.", "How often, at least once."));
      const changed = await pages();
      expect(changed.get("halving.md")).toBe(
        same.get("halving.md")!.replace("Number of halvings, at least 1.", "How often, at least once."),
      );
      expect(changed.get("sums.md")).toBe(same.get("sums.md"));
    } finally {
      writeFileSync(source, before);
    }
  });

  it("brings its example to the playground, or else its README's where that is JavaScript", () => {
    const groups = data("examples.json");
    const halving = groups.find(({ title }: { title: string }) => title === "Numerics").examples;
    expect(halving).toEqual([
      expect.objectContaining({ id: "halving/steps", title: "Ten halvings", description: "Watch the error fall." }),
    ]);
    const core = groups.find(({ title }: { title: string }) => title === "Core packages").examples;
    expect(core.map(({ id }: { id: string }) => id)).toEqual(["sums/usage"]);
  });

  it("is bundled for the playground", () => {
    const files = readdirSync(live).filter((name) => name.endsWith(".js"));
    const bundled = files.map((name) => readFileSync(join(live, name), "utf8")).join("");
    expect(bundled).toContain("@offprint/halving");
    for (const path of ["playground.md", "benchmark.md"]) {
      const [, worker = ""] = /^worker: "(.*)"$/m.exec(page(path)) ?? [];
      expect(existsSync(join(live, "..", worker)), worker).toBe(true);
    }
  });
});

describe("documents", () => {
  it("lead to the site where they can, and to the repository otherwise", () => {
    const link = (target: string) => siteLink(target, "packages/core/sums", root);
    expect(link("../../methods/halving/README.md#usage")).toBe("/methods/halving#usage");
    expect(link("../../methods/halving")).toBe("/methods/halving");
    expect(link("src/index.ts")).toBe("https://github.com/offprint/offprint/blob/main/packages/core/sums/src/index.ts");
    expect(link("src")).toBe("https://github.com/offprint/offprint/tree/main/packages/core/sums/src");
    expect(link("../../../CONTRIBUTING.md")).toBe("/guides/adding-a-method");
    expect(link("https://example.org/x")).toBe("https://example.org/x");
    expect(link("#usage")).toBe("#usage");
  });

  it("keep code as it is and make everything else safe for a template", () => {
    const text = forSite(
      "Use `Map<a>` or Map<b>, <br> and <https://x.org>.\n\n```ts no-run\nconst a: Set<{{x}}>;\n```",
      "",
      root,
    );
    expect(text).toBe("Use `Map<a>` or Map&lt;b>, <br> and <https://x.org>.\n\n```ts\nconst a: Set<{{x}}>;\n```");
  });

  it("are split at their headings, not at comments in code", () => {
    const { title, introduction, sections } = parseDocument(
      "# T\n\nIntro\n\n## A\n\n```sh\n# not a heading\n## nor this\n```\n\n## B\nb",
    );
    expect([title, introduction, sections.map(({ heading }) => heading)]).toEqual(["T", "Intro", ["A", "B"]]);
    expect(sections[0]!.body).toContain("## nor this");
  });

  it("that are examples must begin with a title", () => {
    expect(readExample("x/y", "// Title\n// More.\n\nrun();\n")).toEqual({
      id: "x/y",
      title: "Title",
      description: "More.",
      code: "run();\n",
    });
    expect(() => readExample("x/y", "run();\n")).toThrow("first line must be a comment");
  });

  it("include the guides for contributors, last", () => {
    const guides = readGuides(repository, join(app, "guides"));
    expect(guides[0]!.slug).toBe("getting-started");
    const last = ["adding-a-method", "adding-a-core-package", "compiled-code", "numbers"];
    expect(guides.slice(-4).map(({ slug }) => slug)).toEqual(last);
    expect(guides.at(-4)!.content).toContain("package.json");
    expect(guides.at(-3)!.content).toContain("(/guides/compiled-code)");
  });
});

describe("stored runs", () => {
  it("stand in the README as a badge below its title, once", () => {
    const shown = withBadge("# @offprint/a\n\nFor all.\n\n# b\n");
    expect(shown).toBe("# @offprint/a\n\n![How many of the claims hold](claims/badge.svg)\n\nFor all.\n\n# b\n");
    expect(withBadge(shown)).toBe(shown);
  });

  it("keep what a plot and a table can show", () => {
    const y = Array.from({ length: 5000 }, (_, index) => (index === 3210 ? 99 : Math.sin(index / 700)));
    const curve = { name: "a", y, low: y.map((value) => value - 1), high: y.map((value) => value + 1) };
    const series = { kind: "line" as const, title: "T", x: { label: "x" }, y: { label: "y" }, curves: [curve] };
    const table = { title: "T", columns: ["a"], rows: [[1.76543, 5_000_001, "x"]] };
    const record = { id: "a", statement: "s", source: "S", paper: 1 / 3, measured: { a: 1.76543 }, holds: true };
    const whole = { ...record, detail: "d", series: [series], tables: [table], seconds: 1.23456 };
    const run = { method: "m", version: "1.0.0", seed: 0, scale: "quick" as const, device: "host", seconds: 1.23456 };
    const [kept] = compactRun({ ...run, records: [whole] }).records;
    const [line] = (kept!.series[0] as typeof series).curves as unknown as {
      x: number[];
      y: number[];
      low: number[];
    }[];
    expect(line!.y.length).toBeLessThan(200);
    expect([line!.x.length, line!.low.length]).toEqual([line!.y.length, line!.y.length]);
    expect([line!.x[0], line!.x.at(-1), Math.max(...line!.y)]).toEqual([0, 4999, 99]);
    expect(line!.y[line!.x.indexOf(3210)]).toBe(99);
    expect(kept!.tables[0]!.rows).toEqual([[1.765, 5_000_001, "x"]]);
    expect([kept!.measured, kept!.paper, kept!.seconds]).toEqual([{ a: 1.765 }, 1 / 3, 1.235]);
  });

  it("know whether their sources are still the same", () => {
    const folder = mkdtempSync(join(tmpdir(), "offprint-runs-"));
    try {
      cpSync(join(root, "packages", "methods", "halving"), folder, { recursive: true });
      const path = join(folder, "claims", "results.json");
      const content = JSON.parse(readFileSync(path, "utf8"));
      expect(readStoredRuns(folder, "halving")[0]!.current).toBe(false);
      writeFileSync(path, JSON.stringify({ ...content, sources: sourcesOf(folder) }));
      expect(readStoredRuns(folder, "halving")[0]!.current).toBe(true);
      writeFileSync(join(folder, "README.md"), "changed");
      expect(readStoredRuns(folder, "halving")[0]!.current).toBe(true);
      writeFileSync(join(folder, "src", "more.ts"), "export const more = 1;");
      expect(readStoredRuns(folder, "halving")[0]!.current).toBe(false);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("become a badge", () => {
    const records = [{ holds: true }, { holds: false }] as never;
    expect(badge({ records })).toContain("claims: 1 of 2 hold");
    expect(badge({ records: [{ holds: true }] as never })).toContain("#1f7a4d");
    expect(badge({ records })).not.toContain("#1f7a4d");
  });

  it("that are something else are refused by name", () => {
    const folder = mkdtempSync(join(tmpdir(), "offprint-runs-"));
    try {
      expect(readStoredRuns(folder, "halving")).toEqual([]);
      symlinkSync(join(root, "packages", "methods", "halving", "claims"), join(folder, "claims"));
      expect(readStoredRuns(folder, "other")).toEqual([]);
      expect(readStoredRuns(folder, "halving")).toHaveLength(1);
      rmSync(join(folder, "claims"));
      mkdirSync(join(folder, "claims"));
      writeFileSync(join(folder, "claims", "results.json"), "{}");
      expect(() => readStoredRuns(folder, "halving")).toThrow("claims/results.json is not a results file");
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
