import { createRequire } from "node:module";

/** A part of a page under one heading, as the search finds it. */
export interface SearchSection {
  /** Anchor of the heading. */
  readonly anchor: string;
  /** The headings above it and its own, the page's first. */
  readonly titles: readonly string[];
  readonly text: string;
}

interface Index {
  add(document: { id: string; title: string; titles: readonly string[]; text: string }): void;
  search(words: string): readonly { readonly id: string }[];
}

interface MiniSearch {
  new (options: object): Index;
  loadJSON(text: string, options: object): Index;
}

/** The search engine that VitePress's search box has. */
const MiniSearch: MiniSearch = createRequire(createRequire(import.meta.url).resolve("vitepress/package.json"))(
  "minisearch",
);

/** Fields of a section that are searched, and those that results show. */
const fields = { fields: ["title", "titles", "text"], storeFields: ["title", "titles"] };

/** How results are weighed, besides what VitePress's search box says itself. */
export const searchOptions = {
  // Method pages and guides come before the many symbols of the reference.
  boostDocument: (id: string) => (id.includes("/api/") ? 0.25 : 1),
};

const heading = /<h(\d*).*?>(.*?<a.*? href="#.*?".*?>.*?<\/a>)<\/h\1>/gi;
const headingContent = /(.*?)<a.*? href="#(.*?)".*?>.*?<\/a>/i;

const withoutTags = (html: string): string => html.replace(/<[^>]*>/g, "");

/** The sections of a rendered page. */
export function sectionsOf(html: string): SearchSection[] {
  const parts = html.split(heading).slice(1);
  const sections: SearchSection[] = [];
  // With holes where a level is left out.
  let above: string[] = [];
  for (let at = 0; at + 2 < parts.length; at += 3) {
    const level = Number(parts[at]) - 1;
    const [, words = "", anchor = ""] = headingContent.exec(parts[at + 1]!) ?? [];
    const [title, content] = [withoutTags(words).trim(), parts[at + 2]!];
    if (!title || !content) continue;
    above = above.slice(0, level);
    above[level] = title;
    sections.push({ anchor, titles: above.filter(Boolean), text: withoutTags(content) });
  }
  return sections;
}

/**
 * The search index of pages, as text that the search box loads.
 *
 * @param pages the sections of pages, by the page's address
 */
export function searchIndex(pages: Iterable<readonly [address: string, sections: readonly SearchSection[]]>): string {
  const index = new MiniSearch(fields);
  for (const [address, sections] of pages) {
    for (const { anchor, titles, text } of sections) {
      const id = anchor ? `${address}#${anchor}` : address;
      index.add({ id, text, title: titles.at(-1)!, titles: titles.slice(0, -1) });
    }
  }
  return JSON.stringify(index);
}

/** What the search box shows for words, in its order: addresses with anchors. */
export function searchOf(index: string): (words: string) => string[] {
  const boxOptions = { fuzzy: 0.2, prefix: true, boost: { title: 4, text: 2, titles: 1 }, ...searchOptions };
  const loaded = MiniSearch.loadJSON(index, { ...fields, searchOptions: boxOptions });
  return (words) => {
    const results = loaded.search(words);
    return results.slice(0, 16).map(({ id }) => id);
  };
}
