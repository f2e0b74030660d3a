import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";

const chromium = [process.env["OFFPRINT_CHROMIUM"], "/usr/bin/chromium", "/usr/bin/google-chrome"].find(
  (path) => path !== undefined && existsSync(path),
);

/** The page, the module of its threads and its jobs, as a user's bundler would make them. */
async function bundles(): Promise<Map<string, string>> {
  const here = import.meta.dirname;
  const { outputFiles } = await build({
    entryPoints: {
      page: join(here, "fixtures", "page.ts"),
      thread: join(here, "..", "src", "threads", "thread-main.ts"),
      jobs: join(here, "fixtures", "page-jobs.ts"),
    },
    outdir: "/",
    bundle: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2022",
    conditions: ["@offprint/source", "module"],
    logLevel: "silent",
  });
  return new Map(outputFiles.map(({ path, text }) => [path.slice(path.lastIndexOf("/")), text]));
}

/** Opens the page in a browser of its own and gives what it posts to /result. */
async function runPage(files: ReadonlyMap<string, string>, headers: Record<string, string>): Promise<unknown> {
  const profile = mkdtempSync(join(tmpdir(), "offprint-cluster-page-"));
  const server = createServer();
  const result = new Promise((resolve) => {
    server.on("request", (request, response) => {
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
      const script = files.get(request.url ?? "");
      if (request.url === "/result") {
        let body = "";
        request.on("data", (chunk) => {
          body += chunk;
        });
        request.on("end", () => {
          response.end();
          resolve(JSON.parse(body));
        });
      } else if (request.url === "/") {
        response.setHeader("content-type", "text/html");
        response.end("<!doctype html><script type=module src=/page.js></script>");
      } else if (script !== undefined) response.setHeader("content-type", "text/javascript").end(script);
      else response.writeHead(404).end();
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const browser = spawn(chromium!, [
    "--headless",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--no-first-run",
    `--user-data-dir=${profile}`,
    `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
  ]);
  browser.stderr.resume();
  const closed = new Promise<void>((resolve) => browser.on("close", () => resolve()));
  try {
    return await result;
  } finally {
    browser.kill();
    await closed;
    server.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

describe.skipIf(chromium === undefined)("in a page [needs Chromium: install Debian's chromium]", () => {
  const isolation = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };

  it.each([
    ["with shared memory", isolation, true],
    ["without it, where what never yields is ended with its worker", {}, false],
  ])(
    "jobs and teams run on module workers, %s",
    async (_, headers, isolated) => {
      expect(await runPage(await bundles(), headers)).toEqual({
        products: [[[2]], [[4]], [[6]]],
        late: ["JobTimeoutError"],
        quick: true,
        values: [
          [10, 20],
          [11, 21],
        ],
        nats: "UnsupportedError",
        isolated,
      });
    },
    60_000,
  );
});
