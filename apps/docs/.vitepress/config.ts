import { readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vitepress";

const app = join(import.meta.dirname, "..");
const sidebar = JSON.parse(readFileSync(join(app, "dist", "generated", "sidebar.json"), "utf8"));

const packages = [
  { text: "Methods", items: [{ text: "All methods", link: "/methods/" }] },
  ...sidebar.methods,
  { text: "Core packages", items: sidebar.core },
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

const config = defineConfig({
  title: "Offprint",
  description: "Machine-learning papers as npm packages: one paper, one package, its claims as runnable code.",
  lang: "en",
  base: process.env.OFFPRINT_DOCS_BASE ?? "/",
  srcDir: "dist/pages",
  outDir: "dist/site",
  cleanUrls: true,
  metaChunk: true,
  head: [
    ["link", { rel: "icon", type: "image/svg+xml", href: `${process.env.OFFPRINT_DOCS_BASE ?? "/"}icon.svg` }],
    ["meta", { name: "theme-color", media: "(prefers-color-scheme: light)", content: "#fdfcf8" }],
    ["meta", { name: "theme-color", media: "(prefers-color-scheme: dark)", content: "#171614" }],
  ],
  markdown: { anchor: { slugify }, theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" } },
  // The parts of the playground are made by the generator, not by Vite.
  vite: { build: { chunkSizeWarningLimit: 2000 }, logLevel: "warn" },
  themeConfig: {
    logo: { src: "/icon.svg", alt: "" },
    nav: [
      { text: "Guides", link: "/guides/getting-started", activeMatch: "/guides/" },
      { text: "Methods", link: "/methods/", activeMatch: "/(methods|packages)/" },
      { text: "Playground", link: "/playground" },
      { text: "API", link: "/api/", activeMatch: "/api/" },
      { text: "Compare", link: "/compare" },
    ],
    sidebar: {
      "/guides/": [{ text: "Guides", items: [...sidebar.guides, { text: "Offprint and others", link: "/compare" }] }],
      "/compare": [{ text: "Guides", items: [...sidebar.guides, { text: "Offprint and others", link: "/compare" }] }],
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
          searchOptions: {
            // Method pages and guides come before the many symbols of the reference.
            boostDocument: (id: string) => (id.includes("/api/") ? 0.25 : 1),
          },
        },
      },
    },
    footer: { message: "MIT licence. Papers belong to their authors." },
  },
});

// biome-ignore lint/style/noDefaultExport: VitePress reads the default export.
export default config;
