import { siteLink } from "./repository-links.js";

/** A heading of the second level with what is below it. */
export interface Section {
  readonly heading: string;
  readonly body: string;
}

/** A Markdown document in parts. */
export interface MarkdownDocument {
  /** Its first heading. */
  readonly title: string;
  /** What is between the title and the first section. */
  readonly introduction: string;
  readonly sections: readonly Section[];
}

/** A piece of Markdown, either prose or a fenced block, which must stay as it is. */
interface Piece {
  readonly fenced: boolean;
  readonly lines: string[];
}

function pieces(markdown: string): Piece[] {
  const found: Piece[] = [{ fenced: false, lines: [] }];
  let fence = "";
  for (const line of markdown.split(/\r?\n/)) {
    const mark = /^\s*(`{3,}|~{3,})/.exec(line)?.[1];
    if (!fence && mark) {
      fence = mark;
      found.push({ fenced: true, lines: [line] });
    } else {
      found.at(-1)!.lines.push(line);
      if (fence && mark?.startsWith(fence) && line.trim() === mark) {
        fence = "";
        found.push({ fenced: false, lines: [] });
      }
    }
  }
  return found.filter(({ lines }) => lines.length > 0);
}

/** Changes the prose of a document and leaves fenced blocks alone. */
export function mapProse(markdown: string, change: (prose: string) => string): string {
  return pieces(markdown)
    .map(({ fenced, lines }) => (fenced ? lines.join("\n") : change(lines.join("\n"))))
    .join("\n");
}

/** Splits a document at its headings of the first and second level. */
export function parseDocument(markdown: string): MarkdownDocument {
  let title = "";
  const introduction: string[] = [];
  const sections: { heading: string; lines: string[] }[] = [];
  const add = (line: string) => (sections.at(-1)?.lines ?? introduction).push(line);
  for (const { fenced, lines } of pieces(markdown)) {
    for (const line of lines) {
      const heading = fenced ? null : /^(#{1,2}) +(.+?)\s*#*$/.exec(line);
      if (!heading) add(line);
      else if (heading[1] === "#") title ||= heading[2]!;
      else sections.push({ heading: heading[2]!, lines: [] });
    }
  }
  return {
    title,
    introduction: introduction.join("\n").trim(),
    sections: sections.map(({ heading, lines }) => ({ heading, body: lines.join("\n").trim() })),
  };
}

const allowedTags = /^<\/?(?:details|summary|sub|sup|br|kbd|img)\b[^<>]*>$/i;

/**
 * Prose is written for GitHub, but VitePress compiles it as a Vue template: what would be an unknown element or an
 * interpolation becomes text.
 */
function escapeTemplate(prose: string): string {
  const code = /(`+)(?!`)[\s\S]*?[^`]\1(?!`)/g;
  const escape = (text: string) =>
    text
      .replaceAll("{{", "&#123;&#123;")
      .replace(/<[^<>\n]*>?/g, (tag) =>
        allowedTags.test(tag) || /^<(?:https?:|mailto:)/.test(tag) ? tag : tag.replace("<", "&lt;"),
      );
  let result = "";
  let end = 0;
  for (const match of prose.matchAll(code)) {
    // VitePress marks inline code `v-pre`, so that it is safe already.
    result += escape(prose.slice(end, match.index)) + match[0];
    end = match.index + match[0].length;
  }
  return result + escape(prose.slice(end));
}

/**
 * A document of the repository as the site can show it: links lead to the site or the repository, nothing is taken
 * for a template.
 *
 * @param folder of the document, from the repository's root
 */
export function forSite(markdown: string, folder: string, root: string): string {
  return mapProse(markdown, (prose) =>
    escapeTemplate(prose).replace(
      /(\]\()([^)\s]+)((?:\s+"[^"]*")?\))/g,
      (_, open: string, target: string, close: string) => `${open}${siteLink(target, folder, root)}${close}`,
    ),
  ).replace(/^```(ts|typescript)\s+no-run\s*$/gm, "```$1");
}

/** Text as it may stand in HTML, also inside attributes. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("{{", "&#123;&#123;");
}

/** Text of one paragraph as HTML: what stands between backticks is code. */
export function inlineHtml(text: string): string {
  return escapeHtml(text).replace(/`([^`]+)`/g, "<code>$1</code>");
}

/** Lines of front matter; values are written as JSON, which YAML contains. */
function frontMatterLines(values: Readonly<Record<string, unknown>>): string {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
    .join("");
}

/** A page that has front matter, with more of it. */
export function withFrontMatter(text: string, values: Readonly<Record<string, unknown>>): string {
  return text.replace("---\n", () => `---\n${frontMatterLines(values)}`);
}

/** A page with its front matter. */
export function page(frontMatter: Readonly<Record<string, unknown>>, ...body: readonly string[]): string {
  return `---\n${frontMatterLines(frontMatter)}---\n\n${body.filter((part) => part !== "").join("\n\n")}\n`;
}
