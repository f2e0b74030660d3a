import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readStoredRuns, type StoredRun } from "./claims/stored-runs.js";
import { importMapOf } from "./import-map.js";
import { catalogueEntry, cataloguePage, corePackagesPage } from "./pages/catalogue.js";
import { galleryPage } from "./pages/gallery.js";
import { readGuides } from "./pages/guides.js";
import { homePage } from "./pages/home-page.js";
import { llmsText } from "./pages/llms-text.js";
import { corePage, methodPage } from "./pages/method-page.js";
import { exampleGroups, playgroundPage, readmePrograms } from "./pages/playground-page.js";
import { referenceIndex } from "./pages/reference-index.js";
import { withAllMethods } from "./pages/which-method.js";
import { pictureFiles } from "./pictures.js";
import { bundleBenchmark, bundlePlayground, importableEntries } from "./playground-bundle.js";
import { apiAddresses, referencePages } from "./reference/reference.js";
import { withFrontMatter } from "./workspace/markdown-document.js";
import {
  type Example,
  type Package,
  pageOf,
  readExamples,
  readWorkspace,
  type Workspace,
} from "./workspace/workspace.js";

/** Everything that the site is built from. */
export interface GeneratedSite {
  /** Markdown pages by path. */
  readonly pages: ReadonlyMap<string, string>;
  /** Data for the site's configuration and components, JSON by file name. */
  readonly data: ReadonlyMap<string, string>;
  /** Files that are served as they are, by address. */
  readonly files: ReadonlyMap<string, string>;
  /** What the person who builds the site should know. */
  readonly notes: readonly string[];
}

/** Where the generator reads and writes. */
export interface SiteFolders {
  /** The repository. */
  readonly root: string;
  /** This package. */
  readonly app: string;
  /** For intermediate files; replaced. */
  readonly scratch: string;
  /** For what is kept from one build to the next. */
  readonly cache: string;
  /** For the playground's bundles. */
  readonly live: string;
}

/** A link of the side bar. */
export interface SidebarLink {
  readonly text: string;
  readonly link: string;
}

/** A heading of the side bar with its links. */
export interface SidebarGroup {
  readonly text: string;
  readonly items: readonly SidebarLink[];
}

function methodGroups({ methods }: Workspace): SidebarGroup[] {
  const areas = new Map<string, SidebarLink[]>();
  for (const method of methods) {
    const { area } = method.paper!;
    areas.set(area, [...(areas.get(area) ?? []), { text: method.slug, link: pageOf(method) }]);
  }
  return [...areas].map(([text, items]) => ({ text, items }));
}

/** Reads the repository and writes the site's sources; a package is on the site because its folder is there. */
export async function generateSite({ root, app, scratch, cache, live }: SiteFolders): Promise<GeneratedSite> {
  const workspace = readWorkspace(root);
  const { core, methods } = workspace;
  const runs = new Map(methods.map((method) => [method, readStoredRuns(method.directory, method.slug)]));
  const runsOf = (method: Package): readonly StoredRun[] => runs.get(method) ?? [];
  const guides = readGuides(root, join(app, "guides")).map((guide) => withAllMethods(guide, methods));
  const reference = await referencePages(workspace, scratch, join(cache, "reference.json"));
  const api = apiAddresses(reference.keys());
  const available = new Set(importableEntries(workspace).map(({ specifier }) => specifier));
  const groups = await exampleGroups(workspace, readExamples("core", join(app, "examples")), available);
  const examples = groups.flatMap((group) => group.examples);
  const programs = new Map<Package, ReadonlyMap<string, Example>>();
  for (const pkg of [...core, ...methods]) programs.set(pkg, await readmePrograms(pkg, available));
  const context = (pkg: Package) => ({
    root,
    api: api.get(pkg.slug),
    example: examples.find(({ id }) => id.startsWith(`${pkg.slug}/`))?.id,
    importMap: importMapOf(pkg, workspace),
    programs: programs.get(pkg) ?? new Map(),
  });

  const pages = new Map<string, string>([
    ["index.md", homePage(workspace, runsOf)],
    ["methods/index.md", cataloguePage()],
    ["packages/index.md", corePackagesPage(workspace)],
    ["playground.md", playgroundPage(await bundlePlayground(workspace, join(app, "src", "playground"), live))],
    ["gallery.md", galleryPage(groups)],
    ["compare.md", readFileSync(join(app, "pages", "compare.md"), "utf8")],
    [
      "benchmark.md",
      withFrontMatter(
        readFileSync(join(app, "pages", "benchmark.md"), "utf8"),
        await bundleBenchmark(workspace, app, live),
      ),
    ],
    ["api/index.md", referenceIndex(workspace, api)],
  ]);
  for (const method of methods)
    pages.set(`methods/${method.slug}.md`, methodPage(method, runsOf(method), context(method)));
  for (const pkg of core) pages.set(`packages/${pkg.slug}.md`, corePage(pkg, context(pkg)));
  for (const { slug, content } of guides) pages.set(`guides/${slug}.md`, content);
  for (const [path, content] of reference) pages.set(`api/${path}`, content);

  const sidebar = {
    methods: methodGroups(workspace),
    core: core.map((pkg): SidebarLink => ({ text: pkg.slug, link: pageOf(pkg) })),
    guides: guides.map(({ slug, title }): SidebarLink => ({ text: title, link: `/guides/${slug}` })),
    api: apiGroups(workspace, reference.keys(), api),
  };
  const data = new Map<string, unknown>([
    ["sidebar.json", sidebar],
    ["catalogue.json", methods.map((method) => catalogueEntry(method, runsOf(method)))],
    ["examples.json", groups.map((group) => ({ ...group, examples: group.examples.map(withoutPicture) }))],
    ["readme-programs.json", [...programs.values()].flatMap((each) => [...each.values()])],
  ]);
  const files = new Map([
    ...pictureFiles(examples.filter(({ picture }) => picture !== undefined)),
    ["/llms.txt", llmsText(workspace, guides)],
  ]);
  return {
    pages,
    data: new Map([...data].map(([name, value]) => [name, JSON.stringify(value)])),
    files,
    notes: staleNotes(methods, runsOf),
  };
}

/** An example without its picture, which the playground does not show. */
function withoutPicture({ picture: _, ...example }: Example): Example {
  return example;
}

/** Which methods have changed since their claims were last run for the site. */
function staleNotes(methods: readonly Package[], runsOf: (method: Package) => readonly StoredRun[]): string[] {
  const stale = methods.filter((method) => !runsOf(method)[0]?.current).map(({ slug }) => slug);
  return stale.length === 0
    ? []
    : [`no stored run of the present sources: ${stale.join(", ")} (pnpm store-claims runs and keeps them)`];
}

/** Links to the reference: core packages with their sections, then the methods. */
function apiGroups(
  { core, methods }: Workspace,
  paths: Iterable<string>,
  api: ReadonlyMap<string, string>,
): { text: string; items: (SidebarLink & { items?: SidebarLink[] })[] }[] {
  const sections = [...paths].filter((path) => path.includes("/") && !path.endsWith("/index.md"));
  const links = (packages: readonly Package[]) =>
    packages.flatMap(({ slug }) => {
      const link = api.get(slug);
      if (!link) return [];
      const items = sections
        .filter((path) => path.startsWith(`${slug}/`))
        .map((path): SidebarLink => {
          const name = path.replace(/\.md$/, "");
          return { text: name.split("/").at(-1)!.replaceAll("-", " "), link: `/api/${name}` };
        });
      return [{ text: slug, link, ...(items.length > 0 && { items }) }];
    });
  return [
    { text: "Core packages", items: links(core) },
    { text: "Methods", items: links(methods) },
  ].filter(({ items }) => items.length > 0);
}
