import { posix } from "node:path";
import { page } from "../workspace/markdown-document.js";
import { repositoryAddress } from "../workspace/repository-links.js";

/** Pages of the generated reference by path, such as `tensor-core/index.md`. */
export type Pages = ReadonlyMap<string, string>;

/** Longer pages are cut at their headings of the second level. */
const longestPage = 80_000;
/** Shorter sections stay on the first page of a package that is cut. */
const shortestPage = 1500;

/** Headings that would only clutter the outline and the search: they become labels. */
const labels =
  /^#{4,6} (Parameters|Returns|Throws|Examples?|See|Type Parameters|Type Declaration|Extends|Extended by|Implements|Implementation of|Properties|Methods|Constructors?|Accessors|Overrides|Inherited from|Default Value|Get Signature|Call Signature|Index Signature|Remarks|Indexable)$/gm;

interface Part {
  readonly heading: string;
  readonly text: string;
}

function partsOf(content: string): { head: string; parts: Part[] } {
  const [head = "", ...sections] = content.split(/^(?=## )/m);
  return { head, parts: sections.map((text) => ({ heading: /^## (.*)$/m.exec(text)?.[1] ?? "", text })) };
}

function slugOf(heading: string): string {
  return heading.toLowerCase().replace(/[^a-z0-9]+/g, "-");
}

/** Address of a page below `/api/`, for its path. */
function addressOf(path: string): string {
  return `/api/${path.replace(/\.md$/, "").replace(/(^|\/)index$/, "$1")}`;
}

function anchorsIn(text: string): string[] {
  return [...text.matchAll(/<a id="([^"]+)">/g)].map((match) => match[1]!);
}

/** A page in the making: where it comes from, for the links in it. */
interface Draft {
  readonly source: string;
  readonly title: string;
  readonly text: string;
  /** Whether it is one section, whose exports come directly below the page's title. */
  readonly section: boolean;
}

/** Exports of a section as links. */
function symbolsIn(text: string, address: string): string[] {
  return [...text.matchAll(/<a id="([^"]+)"><\/a>\n\n### (.+)$/gm)].map(
    ([, anchor, name]) => `[\`${name!.replaceAll("\\", "")}\`](${address}#${anchor})`,
  );
}

/** The first page of a package that is cut: its sections with all that they export. */
function contents(parts: readonly Part[], base: string): string {
  return parts
    .map(({ heading, text }) => {
      const address = `/api/${base}/${slugOf(heading)}`;
      return `## [${heading}](${address})\n\n${symbolsIn(text, address).join(" ")}`;
    })
    .join("\n\n");
}

function cut(path: string, content: string, drafts: Map<string, Draft>): void {
  const { head, parts } = partsOf(content);
  const name = posix.dirname(path) === "." ? path.replace(/\.md$/, "") : posix.dirname(path);
  const long = parts.filter(({ text }) => text.length >= shortestPage);
  const short = parts.filter(({ text }) => text.length < shortestPage);
  for (const { heading, text } of long) {
    const body = text.replace(/^## .*\n/, "");
    drafts.set(`${name}/${slugOf(heading)}.md`, {
      source: path,
      title: `${name}: ${heading.toLowerCase()}`,
      text: body,
      section: true,
    });
  }
  const first = [head.replace(/^# .*\n/, ""), contents(long, name), ...short.map(({ text }) => text)].join("\n\n");
  drafts.set(`${name}/index.md`, { source: path, title: name, text: first, section: false });
}

/** `Defined in` is kept for exports, as a link to their source, and dropped for their members. */
function sourceLinks(text: string): string {
  let level = 0;
  return text
    .split("\n")
    .flatMap((line) => {
      level = /^(#+) /.exec(line)?.[1]?.length ?? level;
      const defined = /^Defined in: \[([^\]]+):(\d+)\]/.exec(line);
      if (!defined) return [line];
      if (level > 3) return [];
      return [
        `[source](${repositoryAddress}/blob/main/${defined[1]!.replaceAll("\\", "")}#L${defined[2]}){.source-link}`,
      ];
    })
    .join("\n");
}

/** Type parameters without a word about them: the signature has them already. */
const silentTypeParameters = /^#{4,6} Type Parameters\n\n\| Type Parameter \|\n\| -+ \|\n(?:\|.*\|\n)+/gm;

function polished(text: string): string {
  return sourceLinks(text)
    .replace(silentTypeParameters, "")
    .replace(/^\|.*\| - \|$/gm, (row) => row.replace(/- \|$/, " |"))
    .replace(labels, '<p class="api-label">$1</p>')
    .replace(/^#####+ /gm, "#### ")
    .replace(/^\*\*\*$/gm, "");
}

/**
 * The generated pages as the site shows them: long ones cut into sections, links made absolute, and only the names of
 * exports and their members left as headings.
 */
export function paginate(generated: Pages): Map<string, string> {
  const drafts = new Map<string, Draft>();
  for (const [path, content] of generated) {
    if (path === "index.md") continue;
    if (content.length > longestPage) cut(path, content, drafts);
    else {
      const title = path
        .replace(/\.md$/, "")
        .replace(/\/(?:namespaces\/|index$)/, ": ")
        .replace(/: $/, "");
      drafts.set(path, { source: path, title, text: content.replace(/^# .*\n/, ""), section: false });
    }
  }
  const targets = new Map<string, string>();
  for (const [path, { source, text }] of drafts) {
    const address = addressOf(path);
    if (!targets.has(source) || path.endsWith("index.md")) targets.set(source, address);
    for (const anchor of anchorsIn(text)) targets.set(`${source}#${anchor}`, `${address}#${anchor}`);
  }
  const link = (target: string, source: string) => {
    const [file = "", anchor] = target.split("#");
    const from = file === "" ? source : posix.normalize(posix.join(posix.dirname(source), file));
    return targets.get(anchor === undefined ? from : `${from}#${anchor}`) ?? targets.get(from);
  };
  return new Map(
    [...drafts].map(([path, { source, title, text, section }]) => {
      const linked = polished(text).replace(/\]\(((?:[\w./-]*\.md)?(?:#[\w.-]+)?)\)/g, (whole, target: string) => {
        const address = target === "" ? undefined : link(target, source);
        return address ? `](${address})` : whole;
      });
      const look = section
        ? { outline: 2, pageClass: "api-page api-section" }
        : { outline: [2, 3], pageClass: "api-page" };
      const body = section ? linked.replace(/^#(?=##+ )/gm, "") : linked;
      return [path, page({ title: `${title} API`, ...look }, `# ${title}`, body)];
    }),
  );
}
