import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { build } from "esbuild";

/** The Chromium of this machine, or `undefined` where there is none. */
export const chromium = [process.env["OFFPRINT_CHROMIUM"], "/usr/bin/chromium", "/usr/bin/google-chrome"].find(
  (path) => path !== undefined && existsSync(path),
);

/** For the names of suites that need a browser: the summary of `npm test` says why they did not run. */
export const needsChromium = "[needs Chromium: install Debian's chromium]";

/** A software adapter, so that WebGPU can be tried without a GPU. */
export const softwareGpu = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"];

/** A page that is silent for so long has hung. In milliseconds. */
const longestSilence = 180_000;

/** What a page tells of errors that it does not catch itself. A file, as policies forbid scripts in the page's text. */
const reporter = `for (const kind of ["error", "unhandledrejection"]) addEventListener(kind, (e) =>
  fetch("/result", { method: "POST", body: JSON.stringify({ error: String(e.reason ?? e.message) }) }));`;

const types: Readonly<Record<string, string>> = { ".js": "text/javascript", ".mjs": "text/javascript" };

/**
 * The scripts of a page as a user's bundler would make them, by their addresses: `{ page: path }` is at `/page.js`.
 *
 * @param entries the modules, by name
 * @param conditions of the packages' exports, beside those of a browser
 */
export async function bundlePage(
  entries: Readonly<Record<string, string>>,
  conditions: readonly string[] = [],
): Promise<Map<string, string>> {
  const { outputFiles } = await build({
    entryPoints: { ...entries },
    outdir: "/",
    bundle: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2022",
    conditions: ["@offprint/source", "module", ...conditions],
    logLevel: "silent",
  });
  return new Map(outputFiles.map(({ path, text }) => [path.slice(path.lastIndexOf("/")), text]));
}

/** What surrounds a page that is run. */
export interface PageSurroundings {
  /** Headers of all answers, such as a policy. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Flags of the browser. */
  readonly flags?: readonly string[];
  /** The path of a file for an address that is none of the scripts. */
  readonly file?: (address: string) => string | undefined;
}

/**
 * Opens a page that loads `/page.js` in a browser of its own.
 *
 * @param scripts by their addresses, as {@link bundlePage} gives them
 * @returns what the page posts to `/result` as JSON, or `{ error }` where it failed
 */
export async function runPage<R>(
  scripts: ReadonlyMap<string, string>,
  { headers = {}, flags = [], file = () => undefined }: PageSurroundings = {},
): Promise<R> {
  if (chromium === undefined) throw new Error("runPage: there is no Chromium; install Debian's chromium");
  const page = "<!doctype html><script src=/report.js></script><script type=module src=/page.js></script>";
  const texts = new Map([...scripts, ["/report.js", reporter]]);
  const profile = mkdtempSync(join(tmpdir(), "offprint-page-"));
  const server = createServer();
  const posted = new Promise<string>((resolve) => {
    server.on("request", async (request, response) => {
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
      const { pathname } = new URL(request.url ?? "/", "http://page");
      const path = texts.has(pathname) ? undefined : file(pathname);
      if (pathname === "/result") {
        let body = "";
        for await (const chunk of request.setEncoding("utf8")) body += chunk;
        response.end();
        resolve(body);
      } else if (pathname === "/") response.setHeader("content-type", "text/html").end(page);
      else if (!texts.has(pathname) && path === undefined) response.writeHead(404).end();
      else {
        response.setHeader("content-type", types[extname(pathname)] ?? "application/wasm");
        response.end(path === undefined ? texts.get(pathname) : readFileSync(path));
      }
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const always = ["--headless", "--no-sandbox", "--disable-dev-shm-usage", "--no-first-run", "--enable-logging=stderr"];
  const browser = spawn(chromium, [...always, `--user-data-dir=${profile}`, ...flags, address]);
  let log = "";
  browser.stderr.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  const closed = new Promise<void>((resolve) => browser.on("close", () => resolve()));
  const told = () => log.split("\n").filter((line) => !line.includes("dbus"));
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    const fail = (what: string) => reject(new Error(`${what}: ${told().join("\n").slice(-3000)}`));
    timer = setTimeout(() => fail("the page sent nothing"), longestSilence);
    closed.then(() => fail("the browser ended"));
  });
  try {
    return JSON.parse(await Promise.race([posted, silence]));
  } finally {
    clearTimeout(timer);
    browser.kill();
    await closed;
    server.closeAllConnections();
    server.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
