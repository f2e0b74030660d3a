// Serves the built site on this machine. Usage: node serve.mjs [--port 4173]
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize, relative, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { createGzip } from "node:zlib";

/** Where the build puts the site. */
export const siteFolder = join(fileURLToPath(new URL(".", import.meta.url)), "dist", "site");

/** @type {Record<string, string>} */
const types = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".mjs": "text/javascript; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".woff2": "font/woff2",
};
const compressed = new Set([".css", ".html", ".js", ".json", ".mjs", ".svg", ".wasm"]);

/**
 * The file behind an address: itself, the page of that name, or the index of the folder.
 *
 * @param {string} folder
 * @param {string} pathname
 */
function fileFor(folder, pathname) {
  const path = normalize(join(folder, pathname));
  if (path !== folder && !path.startsWith(folder + sep)) return undefined;
  const candidates = pathname.endsWith("/")
    ? [join(path, "index.html")]
    : [path, `${path}.html`, join(path, "index.html")];
  return candidates.find(isFile);
}

/**
 * Whether there is such a file; a path that no file can have, as one with a zero byte or a part that is a file, is none.
 *
 * @param {string} path
 */
function isFile(path) {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  } catch {
    return false;
  }
}

/**
 * Starts a server for a folder of static files.
 *
 * @param {string} folder
 * @param {{ port?: number, onAsked?: (path?: string) => void }} [options] port 0, the default, takes any that is free;
 * `onAsked` is told of every request which file of the folder it is for, if any
 * @returns {Promise<{ address: string, close: () => Promise<void> }>}
 */
export async function serve(folder, { port = 0, onAsked } = {}) {
  const server = createServer((request, response) => {
    let pathname = "/";
    try {
      pathname = decodeURIComponent(new URL(request.url ?? "/", "http://site").pathname);
    } catch {
      response.writeHead(400).end();
      return;
    }
    const found = fileFor(folder, pathname);
    onAsked?.(found && relative(folder, found).split(sep).join("/"));
    const file = found ?? join(folder, "404.html");
    if (!existsSync(file)) {
      response.writeHead(404, { "content-type": "text/plain" }).end("Not found\n");
      return;
    }
    const kind = extname(file);
    const unchanging = /\/assets\/|-[A-Z0-9]{8}\.js$/.test(pathname);
    /** @type {Record<string, string>} */
    const headers = {
      "content-type": types[kind] ?? "application/octet-stream",
      "cache-control": unchanging ? "public, max-age=31536000, immutable" : "no-cache",
    };
    const zip = compressed.has(kind) && /\bgzip\b/.test(request.headers["accept-encoding"] ?? "");
    if (zip) headers["content-encoding"] = "gzip";
    response.writeHead(found ? 200 : 404, headers);
    if (request.method === "HEAD") {
      response.end();
      return;
    }
    const content = createReadStream(file);
    content.on("error", () => response.destroy());
    if (zip) content.pipe(createGzip({ level: 5 })).pipe(response);
    else content.pipe(response);
  });
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(undefined));
  });
  const bound = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    address: `http://127.0.0.1:${bound.port}/`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

const usage = `usage: npm start -- docs [--port <0 to 65535>]

Builds the documentation site, where it is not up to date, and serves it on this machine; port 4173 unless told otherwise.`;

/**
 * The port that the words name, or what to print and the exit code.
 *
 * @param {string[]} words
 * @returns {{ port: number } | { text: string, code: number }}
 */
export function chosenPort(words) {
  if (words.includes("--help") || words.includes("-h")) return { text: usage, code: 0 };
  if (words.length === 0) return { port: 4173 };
  const [option, value, ...rest] = words[0]?.startsWith("--port=")
    ? ["--port", words[0].slice(7), ...words.slice(1)]
    : words;
  const port = Number(value);
  const right =
    option === "--port" && value && rest.length === 0 && Number.isInteger(port) && port >= 0 && port <= 65535;
  return right ? { port } : { text: usage, code: 2 };
}

/**
 * Whether nobody listens on a port; asked before the site is built.
 *
 * @param {number} port
 * @returns {Promise<boolean>}
 */
export function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

async function main() {
  const chosen = chosenPort(process.argv.slice(2));
  if ("text" in chosen) {
    (chosen.code === 0 ? console.log : console.error)(chosen.text);
    return chosen.code;
  }
  const { port } = chosen;
  if (!existsSync(join(siteFolder, "index.html"))) {
    console.error("The site is not built yet: npm start -- docs builds and serves it.");
    return 1;
  }
  try {
    const { address } = await serve(siteFolder, { port });
    console.log(`The documentation is at ${address} (Ctrl-C ends)`);
    return 0;
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code !== "EADDRINUSE") throw error;
    console.error(`Port ${port} is in use; choose another with --port.`);
    return 1;
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) process.exitCode = await main();
