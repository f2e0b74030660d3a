import type { StoredRun } from "../claims/stored-runs.js";
import { escapeHtml, page } from "../workspace/markdown-document.js";
import { type Package, pageOf, type Workspace } from "../workspace/workspace.js";

/** What the list of methods knows about one of them. */
export interface CatalogueEntry {
  readonly slug: string;
  readonly link: string;
  readonly task: string;
  readonly purpose: string;
  readonly title: string;
  readonly authors: string;
  readonly year: number;
  readonly area: string;
  readonly description: string;
  readonly keywords: readonly string[];
  /** Claims that hold in the last stored run, of how many; absent where no run is stored. */
  readonly claims?: { readonly held: number; readonly of: number };
}

/** The entry of a method. */
export function catalogueEntry(method: Package, runs: readonly StoredRun[]): CatalogueEntry {
  const { task, purpose, title, authors, year, area } = method.paper!;
  const records = runs[0]?.records;
  return {
    slug: method.slug,
    link: pageOf(method),
    task,
    purpose,
    title,
    authors: authors.join(", "),
    year,
    area,
    description: method.description,
    keywords: method.keywords,
    ...(records && { claims: { held: records.filter(({ holds }) => holds).length, of: records.length } }),
  };
}

/** The page with all methods by area, and a field that narrows them down. */
export function cataloguePage(): string {
  return page(
    { title: "Methods", description: "All methods of Offprint by area.", aside: false, pageClass: "wide-page" },
    "# Methods",
    "One paper, one package. Each carries its paper's claims as code that you can run. [Which method to take](/guides/which-method) goes by what you want.",
    "<MethodList />",
  );
}

/** The page that lists the core packages. */
export function corePackagesPage({ core }: Workspace): string {
  const rows = core.map((pkg) => `| [${pkg.slug}](${pageOf(pkg)}) | ${escapeHtml(pkg.description)} |`);
  return page(
    { title: "Core packages", description: "What the methods stand on." },
    "# Core packages",
    "What the methods stand on. Every one can be used alone.",
    ["| package | what it is |", "| --- | --- |", ...rows].join("\n"),
  );
}
