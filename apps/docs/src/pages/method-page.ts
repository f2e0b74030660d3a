import { measuredSection } from "../claims/claims-section.js";
import type { StoredRun } from "../claims/stored-runs.js";
import {
  escapeHtml,
  forSite,
  type MarkdownDocument,
  page,
  parseDocument,
  type Section,
} from "../workspace/markdown-document.js";
import { repositoryAddress } from "../workspace/repository-links.js";
import type { Example, Package } from "../workspace/workspace.js";
import { withOpenLinks } from "./playground-page.js";

/** The README's own picture and badge, which the page shows in its own way. */
const pictureLine = /^!\[[^\]]*\]\((?:playground|claims)\/[^)]*\.svg\)\n*/gm;

/** What the README says of pages that have no bundler and of the playground, to which the page has links of its own. */
const pageLines = /<!-- in pages[^>]*-->[\s\S]*?<!-- end of in pages -->\n*/;

/** What a page needs to know beside its package. */
export interface PageContext {
  /** The repository. */
  readonly root: string;
  /** Address of the package's API reference. */
  readonly api: string | undefined;
  /** Its first example in the playground. */
  readonly example: string | undefined;
  /** The modules of a page without a bundler, by what is imported. */
  readonly importMap: Readonly<Record<string, string>>;
  /** The programs of its README that the playground can run, by their blocks. */
  readonly programs: ReadonlyMap<string, Example>;
}

/** The README as the page shows it. */
function readmeOf(pkg: Package, { root, programs }: PageContext): MarkdownDocument {
  const readme = pkg.readme.replace(pictureLine, "").replace(pageLines, "");
  return parseDocument(withOpenLinks(forSite(readme, pkg.folder, root), programs));
}

/** Links and names above the text of a page, found by the search like the rest. */
function packageCard(pkg: Package, { api, example }: PageContext): string {
  const { paper, name, keywords, version, folder } = pkg;
  const links: [string, string | undefined][] = [
    ["Paper", paper?.arxiv && `https://arxiv.org/abs/${paper.arxiv}`],
    ...(paper?.further ?? []).map(({ title, arxiv }): [string, string | undefined] => [
      escapeHtml(title),
      arxiv && `https://arxiv.org/abs/${arxiv}`,
    ]),
    ["Authors' code", paper?.code],
    ["API", api],
    ["Playground", example && `/playground#${example}`],
    ["Source", `${repositoryAddress}/tree/main/${folder}`],
    ["npm", `https://www.npmjs.com/package/${name}`],
  ];
  const shown = links.flatMap(([text, href]) => (href ? [`[${text}](${href})`] : []));
  const facts = paper ? [paper.area, String(paper.year), paper.venue ?? ""].filter(Boolean).map(escapeHtml) : [];
  return [
    '<div class="offprint-card">',
    `<p class="package-name"><code v-pre>${escapeHtml(name)}</code> <span>${escapeHtml(version)}</span></p>`,
    paper ? `<p class="paper-title">${escapeHtml(paper.title)}</p>` : "",
    paper ? `<p class="authors">${escapeHtml(paper.authors.join(", "))}</p>` : "",
    facts.length > 0 ? `<p class="facts">${facts.join(" · ")}</p>` : "",
    `\n${shown.join(" ")}\n`,
    `<p class="keywords">${keywords.map((word) => `<span>${escapeHtml(word)}</span>`).join(" ")}</p>`,
    "</div>",
  ]
    .filter((part) => part !== "")
    .join("\n");
}

function sectionText({ heading, body }: Section): string {
  return `## ${heading}\n\n${body}`;
}

/** How a page without a bundler imports a package. */
function unbundled({ name }: Package, { importMap }: PageContext): string {
  if (!(name in importMap)) return "";
  const map = JSON.stringify({ imports: importMap }, undefined, 2);
  return [
    '<details class="unbundled"><summary>In a page without a bundler</summary>',
    "Put this map into the page's head; a module script then imports the package by its name.",
    `\`\`\`html\n<script type="importmap">\n${map}\n</script>\n\`\`\``,
    "</details>",
  ].join("\n\n");
}

/** What a README says first, without the sentence that stands above the picture already. */
function unrepeated(introduction: string, purpose: string): string {
  if (purpose === "") return introduction;
  const words = purpose.split(/\s+/).map((word) => word.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  return introduction.replace(new RegExp(`^\\s*${words.join("\\s+")}\\s*`), "");
}

/** The sections of a README, with what the site adds to its part on installing. */
function sectionTexts(sections: readonly Section[], pkg: Package, context: PageContext): string[] {
  return sections.map((section) => {
    const text = sectionText(section);
    return /install/i.test(section.heading) ? [text, unbundled(pkg, context)].filter(Boolean).join("\n\n") : text;
  });
}

/** The page of a method: its README, with the measured claims after what the README says about them. */
export function methodPage(method: Package, runs: readonly StoredRun[], context: PageContext): string {
  const { introduction, sections } = readmeOf(method, context);
  const { task, purpose, title, authors } = method.paper!;
  const picture = method.examples[0]?.picture;
  const measured = measuredSection(method, runs);
  const place = sections.findIndex(({ heading }) => /\bclaims\b/i.test(heading));
  const texts = sectionTexts(sections, method, context);
  texts.splice(place < 0 ? texts.length : place + 1, 0, measured);
  return page(
    { title: method.slug, description: `${purpose} ${title}. ${authors.join(", ")}.`, pageClass: "package-page" },
    `# ${escapeHtml(task)}`,
    purpose ? `<p class="purpose">${escapeHtml(purpose)}</p>` : "",
    picture ? `<figure class="picture" v-pre>${picture}</figure>` : "",
    unrepeated(introduction, purpose),
    packageCard(method, context),
    ...texts,
  );
}

/** The page of a core package: its README. */
export function corePage(pkg: Package, context: PageContext): string {
  const { introduction, sections } = readmeOf(pkg, context);
  return page(
    { title: pkg.slug, description: pkg.description, pageClass: "package-page" },
    `# ${pkg.slug}`,
    packageCard(pkg, context),
    introduction || escapeHtml(pkg.description),
    ...sectionTexts(sections, pkg, context),
  );
}
