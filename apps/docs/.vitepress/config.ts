import { readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig, type MarkdownRenderer } from "vitepress";
import { searchOptions } from "../src/search-index.js";

type Token = ReturnType<MarkdownRenderer["parse"]>[number];

const app = join(import.meta.dirname, "..");
const sidebar = JSON.parse(readFileSync(join(app, "dist", "generated", "sidebar.json"), "utf8"));

const packages = [
  { text: "Methods", items: [{ text: "All methods", link: "/methods/" }] },
  ...sidebar.methods,
  { text: "Core packages", items: sidebar.core },
];
const guides = [
  {
    text: "Guides",
    items: [
      ...sidebar.guides,
      { text: "Offprint and others", link: "/compare" },
      { text: "Benchmark in this browser", link: "/benchmark" },
    ],
  },
];
const collapsed = (group: { items: { items?: unknown[] }[] }) => ({
  ...group,
  items: group.items.map((item) => (item.items ? { ...item, collapsed: true } : item)),
});

/** Anchors as GitHub makes them, so that links between the repository's documents hold on the site too. */
function slugify(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{Letter}\p{Mark}\p{Number}\p{Connector_Punctuation} -]/gu, "")
    .replaceAll(" ", "-");
}

/** Cells say which column they are of, so that a row can be read as a list where there is no room for a table. */
function labelCells(tokens: Token[]): void {
  let [labels, place, inHead]: [string[], number, boolean] = [[], 0, false];
  for (const [index, token] of tokens.entries()) {
    if (token.type === "table_open") labels = [];
    if (token.type === "thead_open" || token.type === "thead_close") inHead = token.type === "thead_open";
    if (token.type === "tr_open") place = 0;
    if (token.type === "th_open" && inHead) {
      const text = tokens[index + 1]?.children ?? [];
      // A corner without words heads nothing.
      if (text.length === 0) for (const part of [token, tokens[index + 2]!]) part.tag = "td";
      labels.push(
        text
          .filter(({ type }) => type === "text" || type === "code_inline")
          .map(({ content }) => content)
          .join(""),
      );
    }
    if (token.type === "td_open") token.attrSet("data-label", labels[place++] ?? "");
  }
}

/** Options of commands that stand in a sentence are not broken after their hyphens. */
function markOptions(tokens: Token[]): void {
  for (const token of tokens.flatMap(({ children }) => children ?? [])) {
    if (token.type === "code_inline" && /^--[\w-]{1,24}$/.test(token.content)) token.attrJoin("class", "option");
  }
}

/** Rollup looks for what pages do not use of themselves, which is nothing, for a fifth of a build's time. */
const wholePages = {
  name: "whole-pages",
  enforce: "post" as const,
  transform: (_: string, id: string) => (id.endsWith(".md") ? { moduleSideEffects: "no-treeshake" as const } : null),
};

/** A line is coloured to its end: on a busy machine the half second that Shiki gives it ended within the first words. */
const wholeLines = {
  name: "whole-lines",
  preprocess(_: string, options: { tokenizeTimeLimit?: number }) {
    options.tokenizeTimeLimit = 0;
  },
};

const base = process.env.OFFPRINT_DOCS_BASE ?? "/";

/**
 * The search reads a file of its own (src/search-index.ts): as a script of the site it would change the name of each
 * script with every edit of a page, as all stand on what opens the search.
 */
const searchFile = {
  name: "search-file",
  enforce: "pre" as const,
  load: (id: string) =>
    id === "/@localSearchIndex"
      ? `export default { root: async () => ({ default: await (await fetch(${JSON.stringify(`${base}search.json`)})).text() }) };`
      : null,
};

const config = defineConfig({
  title: "Offprint",
  description: "Machine-learning papers as npm packages: one paper, one package, its claims as runnable code.",
  lang: "en",
  base,
  srcDir: "dist/pages",
  outDir: "dist/site",
  cleanUrls: true,
  metaChunk: true,
  head: [
    ["link", { rel: "icon", type: "image/svg+xml", href: `${base}icon.svg` }],
    ["meta", { name: "theme-color", media: "(prefers-color-scheme: light)", content: "#fdfcf8" }],
    ["meta", { name: "theme-color", media: "(prefers-color-scheme: dark)", content: "#171614" }],
  ],
  markdown: {
    anchor: { slugify },
    codeTransformers: [wholeLines],
    theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" },
    config: (md) => {
      md.core.ruler.push("label_cells", ({ tokens }) => {
        labelCells(tokens);
        markOptions(tokens);
      });
    },
  },
  // The parts of the playground are made by the generator, not by Vite.
  vite: { build: { chunkSizeWarningLimit: 2000 }, logLevel: "warn", plugins: [wholePages, searchFile] },
  themeConfig: {
    logo: { src: "/icon.svg", alt: "" },
    notFound: {
      title: "No page here",
      quote: "Nothing has this address: search for it above, or begin with the list of methods.",
      linkText: "To the first page",
    },
    nav: [
      { text: "Guides", link: "/guides/getting-started", activeMatch: "/guides/" },
      { text: "Methods", link: "/methods/", activeMatch: "/(methods|packages)/" },
      { text: "Gallery", link: "/gallery" },
      { text: "Playground", link: "/playground" },
      { text: "API", link: "/api/", activeMatch: "/api/" },
      { text: "Compare", link: "/compare" },
    ],
    sidebar: {
      "/guides/": guides,
      "/compare": guides,
      "/benchmark": guides,
      "/methods/": packages,
      "/packages/": packages,
      "/api/": [{ text: "API", items: [{ text: "Overview", link: "/api/" }] }, ...sidebar.api.map(collapsed)],
    },
    outline: [2, 3],
    socialLinks: [{ icon: "github", link: "https://github.com/offprint/offprint", ariaLabel: "Offprint on GitHub" }],
    search: {
      provider: "local",
      options: {
        miniSearch: {
          searchOptions,
        },
      },
    },
    footer: { message: "MIT licence. Papers belong to their authors." },
  },
});

// biome-ignore lint/style/noDefaultExport: VitePress reads the default export.
export default config;
