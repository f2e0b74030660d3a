import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import { gzipSync } from "node:zlib";

/** What a page transfers before anything is pressed. */
export interface PageWeight {
  /** Address of the page, as in `/methods/diffgrad`. */
  readonly address: string;
  /** Bytes of the page and of what its markup names, compressed as a server sends them; without the browser's own requests. */
  readonly bytes: number;
}

const named = /<(?:script|img)\b[^>]*?\bsrc="([^"]+)"[^>]*>|<link\b[^>]*?\bhref="([^"]+)"[^>]*>/g;
const compressible = /\.(?:html|css|js|json|mjs|svg|txt|wasm)$/;

/** Addresses of files of the site that the markup of a page loads at once. */
function filesOf(html: string): string[] {
  const addresses = [...html.matchAll(named)].flatMap(([tag, source, link]) => {
    if (link !== undefined) return /rel="[^"]*(?:stylesheet|modulepreload|icon|preload)/.test(tag) ? [link] : [];
    return tag.includes('loading="lazy"') ? [] : [source!];
  });
  return [...new Set(addresses)].filter((address) => address.startsWith("/"));
}

/** The weights of all pages of a built site, heaviest first. */
export function pageWeights(site: string): PageWeight[] {
  const sizes = new Map<string, number>();
  const sizeOf = (path: string): number => {
    const known = sizes.get(path);
    if (known !== undefined) return known;
    const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
    const size = compressible.test(path) ? gzipSync(bytes).length : bytes.length;
    sizes.set(path, size);
    return size;
  };
  return readdirSync(site, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".html") && path !== "404.html")
    .map((path): PageWeight => {
      const files = filesOf(readFileSync(join(site, path), "utf8")).map((address) => sizeOf(join(site, address)));
      const address = `/${path
        .split(sep)
        .join("/")
        .replace(/(?:(^|\/)index)?\.html$/, "$1")}`;
      return { address, bytes: files.reduce((sum, size) => sum + size, sizeOf(join(site, path))) };
    })
    .sort((a, b) => b.bytes - a.bytes);
}

/** What the build says about them. */
export function weightsText(weights: readonly PageWeight[]): string {
  const kilobytes = ({ bytes }: PageWeight) => `${Math.round(bytes / 1000)} kB`;
  const middle = weights[Math.floor(weights.length / 2)];
  if (!middle) return "no pages";
  const heaviest = weights.slice(0, 3).map((weight) => `${weight.address} ${kilobytes(weight)}`);
  const home = weights.find(({ address }) => address === "/");
  return `pages weigh ${kilobytes(middle)} (median)${home ? `, home ${kilobytes(home)}` : ""}; most: ${heaviest.join(", ")}`;
}
