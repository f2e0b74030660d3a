import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";

const chromium = [process.env.OFFPRINT_CHROMIUM, "/usr/bin/chromium", "/usr/bin/google-chrome"].find(
  (path) => path !== undefined && existsSync(path),
);

/** The page as one script, as a user's bundler would make it. */
async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("browser-page.ts", import.meta.url))],
    bundle: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2022",
    conditions: ["@offprint/source", "module"],
    logLevel: "silent",
  });
  return outputFiles[0].text;
}

/** Opens the page under a policy in a browser of its own and gives what it posts to /result. */
async function runPage(script: string, policy: string): Promise<any> {
  const profile = mkdtempSync(join(tmpdir(), "offprint-compiler-"));
  const server = createServer();
  const result = new Promise((resolve) => {
    server.on("request", (request, response) => {
      response.setHeader("content-security-policy", policy);
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
        response
          .setHeader("content-type", "text/html")
          .end("<!doctype html><script type=module src=/page.js></script>");
      } else if (request.url === "/page.js") {
        response.setHeader("content-type", "text/javascript").end(script);
      } else response.writeHead(404).end();
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const browser = spawn(chromium as string, [
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

describe.skipIf(chromium === undefined)("in a browser [needs Chromium: install Debian's chromium]", () => {
  it("compiled programs agree with eager ones", async () => {
    const found = await runPage(await bundle(), "script-src 'self' 'wasm-unsafe-eval'");
    expect(found.error).toBeUndefined();
    expect(found.worst).toBeLessThan(1e-12);
    expect(found.described).toMatch(/^program of \d+ parts?;/);
  }, 60_000);

  it("a policy that forbids compiling leaves them to run operation by operation", async () => {
    const found = await runPage(await bundle(), "script-src 'self'");
    expect(found.error).toBeUndefined();
    expect(found.worst).toBeLessThan(1e-12);
    expect(found.described).toMatch(/^carried out operation by operation: compiling is forbidden here/);
  }, 60_000);
});
