// The browser half: README code bundled from the installed packages and run in headless Chromium.
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { basename, dirname, join } from "node:path";
import { build } from "esbuild";
import { Absent } from "./steps.mjs";

const installed = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** The system's Chromium, else the one that npm carries for Linux. */
async function executablePath() {
  const found = [process.env.OFFPRINT_CHROMIUM ?? "", ...installed].find((path) => path && existsSync(path));
  if (found) return { path: found, args: [] };
  const { default: chromium } = await import("@sparticuz/chromium");
  return { path: await chromium.executablePath(), args: chromium.args };
}

/** Code that reaches for Node or for a native binding is not for a page. */
const nodeOnly = /from\s*"(?:node:[^"]+|@offprint\/[\w-]+\/node|@offprint\/onnx-runtime|@offprint\/commands)"/;

/** @param {string} code */
export function runsInPage(code) {
  return !nodeOnly.test(code);
}

/**
 * What Vite, webpack, Parcel and Rollup's plugin do with `new URL("file", import.meta.url)` and esbuild does not: the
 * file goes beside the bundle, the address to it.
 *
 * @type {import("esbuild").Plugin}
 */
const addresses = {
  name: "addresses",
  setup(bundler) {
    const pattern = /new URL\("([^"]+)",\s*import\.meta\.url\)/g;
    const folder = bundler.initialOptions.outdir ?? "";
    bundler.onLoad({ filter: /[/\\]@offprint[/\\].*\.js$/ }, ({ path }) => {
      const code = readFileSync(path, "utf8");
      if (!pattern.test(code)) return undefined;
      const contents = code.replace(pattern, (whole, address) => {
        const file = join(dirname(path), address);
        if (!existsSync(file)) return whole;
        const name = `${createHash("sha256").update(file).digest("hex").slice(0, 12)}-${basename(file)}`;
        copyFileSync(file, join(folder, name));
        return `new URL("./${name}", import.meta.url)`;
      });
      return { contents, loader: "js" };
    });
  },
};

/**
 * Bundles modules for a page.
 *
 * @param {string} directory where the packages are installed
 * @param {Array<{ path: string, code: string }>} modules
 * @returns {Promise<string[]>} paths of the bundles
 */
export async function bundle(directory, modules) {
  const folder = join(directory, "page");
  mkdirSync(folder, { recursive: true });
  const entryPoints = modules.map(({ code }, place) => {
    const path = join(directory, `page-${place}.mjs`);
    writeFileSync(path, `${code}\nglobalThis.finished = true;\n`);
    return path;
  });
  await build({
    entryPoints,
    outdir: folder,
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    logLevel: "silent",
    plugins: [addresses],
  });
  return entryPoints.map((_, place) => join(folder, `page-${place}.js`));
}

/** A running browser with a server for its pages. */
export class Browser {
  /**
   * @param {import("playwright-core").Browser} browser
   * @param {import("node:http").Server} server
   * @param {Map<string, string>} scripts bundle by address
   * @param {Map<string, string>} pages the rest of a page by address
   */
  constructor(browser, server, scripts, pages) {
    this.browser = browser;
    this.server = server;
    this.scripts = scripts;
    this.pages = pages;
  }

  /**
   * @returns {Promise<Browser>}
   * @throws Absent where there is no browser that starts
   */
  static async open() {
    /** @type {Map<string, string>} */
    const scripts = new Map();
    /** @type {Map<string, string>} */
    const pages = new Map();
    const server = createServer(({ url = "/" }, response) => {
      const script = scripts.get(url);
      const [, place = "", name = ""] = /^\/([^/]+)\/([0-9a-f]{12}-[\w.-]+)$/.exec(url) ?? [];
      const asset = join(decodeURIComponent(place), "page", name);
      if (name && existsSync(asset)) return response.end(readFileSync(asset));
      const [, folder = "", file = ""] = /^\/([^/]+)\/files\/(.+)$/.exec(url) ?? [];
      if (file) {
        const path = join(decodeURIComponent(folder), decodeURIComponent(file));
        response.setHeader("content-type", /\.m?js$/.test(path) ? "text/javascript" : "application/octet-stream");
        response.statusCode = existsSync(path) ? 200 : 404;
        return response.end(existsSync(path) ? readFileSync(path) : "");
      }
      const html = `<!doctype html><meta charset="utf-8"><title>README</title><link rel="icon" href="data:,">`;
      const unbundled = pages.get(url);
      response.setHeader("content-type", script ? "text/javascript" : "text/html");
      if (unbundled) return response.end(html + unbundled);
      response.end(script ? readFileSync(script) : `${html}<script type="module" src="${url}.js"></script>`);
    });
    const { chromium } = await import("playwright-core");
    try {
      const { path, args } = await executablePath();
      const browser = await chromium.launch({ executablePath: path, args: [...args, "--no-sandbox"], headless: true });
      await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
      return new Browser(browser, server, scripts, pages);
    } catch (error) {
      const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
      throw new Absent(`needs Chromium, such as Debian's package chromium (${reason})`);
    }
  }

  /**
   * Loads a page for each bundle; it must run to its end without an error in the console.
   *
   * @param {string[]} bundles
   */
  async run(bundles) {
    for (const bundlePath of bundles) {
      const path = `/${encodeURIComponent(dirname(dirname(bundlePath)))}/${this.scripts.size}`;
      this.scripts.set(`${path}.js`, bundlePath);
      await this.load(path);
    }
  }

  /**
   * Runs modules in pages without a bundler: what they import is found by an import map.
   *
   * @param {string} directory where the packages are installed
   * @param {Record<string, string>} imports addresses from that folder
   * @param {string[]} modules their code
   */
  async runUnbundled(directory, imports, modules) {
    const base = `/${encodeURIComponent(directory)}`;
    const map = {
      imports: Object.fromEntries(Object.entries(imports).map(([key, to]) => [key, `${base}/files/${to}`])),
    };
    for (const code of modules) {
      const path = `${base}/unbundled-${this.pages.size}`;
      const script = `${code}\nglobalThis.finished = true;\n`.replaceAll("</", "<\\/");
      this.pages.set(
        path,
        `<script type="importmap">${JSON.stringify(map)}</script><script type="module">${script}</script>`,
      );
      await this.load(path);
    }
  }

  /** @param {string} path of a page that says when it has finished */
  async load(path) {
    const address = this.server.address();
    const port = typeof address === "object" && address ? address.port : 0;
    const page = await this.browser.newPage();
    /** @type {string[]} */
    const errors = [];
    page.on("pageerror", (error) => errors.push(error.message));
    page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
    try {
      await page.goto(`http://127.0.0.1:${port}${path}`);
      const ended = page.waitForFunction("globalThis.finished === true", undefined, { timeout: 60_000, polling: 50 });
      const failed = page.waitForEvent("pageerror", { timeout: 60_000 }).catch(() => undefined);
      // Whichever loses the race ends with the page; that is no error.
      ended.catch(() => undefined);
      await Promise.race([ended, failed]);
      if (errors.length > 0) throw new Error(errors.join("\n"));
    } finally {
      await page.close();
    }
  }

  async close() {
    await this.browser.close();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
