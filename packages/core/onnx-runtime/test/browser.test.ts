import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { beforeAll, describe, expect, it } from "vitest";
import { exportCases } from "./export-cases.js";

const chromium = [process.env.OFFPRINT_CHROMIUM, "/usr/bin/chromium", "/usr/bin/google-chrome"].find(
  (path) => path !== undefined && existsSync(path),
);
/** A software adapter, so that WebGPU can be tried without a GPU. */
const SOFTWARE_GPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"];

/** The page as one script, as a user's bundler would make it. */
async function bundle(page: URL, conditions: readonly string[] = []): Promise<string> {
  const result = await build({
    entryPoints: [fileURLToPath(page)],
    bundle: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2022",
    conditions: ["@offprint/source", "module", ...conditions],
    logLevel: "silent",
  });
  return result.outputFiles[0].text;
}

/** Opens the page in a browser of its own and gives what it posts to /result. */
async function runPage(script: string): Promise<any> {
  const binaries = dirname(createRequire(import.meta.url).resolve("onnxruntime-web"));
  const report = 'fetch("/result", { method: "POST", body: JSON.stringify({ error: String(e.reason ?? e.message) }) })';
  const page = `<!doctype html><script>
    for (const kind of ["error", "unhandledrejection"]) addEventListener(kind, (e) => ${report});
  </script><script type=module src=/page.js></script>`;
  const profile = mkdtempSync(join(tmpdir(), "offprint-browser-"));
  const server = createServer();
  const result = new Promise((resolve, reject) => {
    server.on("request", (request, response) => {
      const path = new URL(request.url as string, "http://page").pathname;
      if (path === "/result") {
        let body = "";
        request.on("data", (chunk) => {
          body += chunk;
        });
        request.on("end", () => {
          response.end();
          resolve(JSON.parse(body));
        });
      } else if (path === "/") response.setHeader("content-type", "text/html").end(page);
      else if (path === "/page.js") response.setHeader("content-type", "text/javascript").end(script);
      else if (/\.(wasm|mjs)$/.test(path)) {
        const type = path.endsWith(".wasm") ? "application/wasm" : "text/javascript";
        response.setHeader("content-type", type).end(readFileSync(join(binaries, basename(path))));
      } else response.writeHead(404).end();
    });
    server.on("error", reject);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const browser = spawn(chromium as string, [
    "--headless",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--no-first-run",
    `--user-data-dir=${profile}`,
    "--enable-logging=stderr",
    ...SOFTWARE_GPU,
    address,
  ]);
  let log = "";
  browser.stderr.on("data", (chunk) => {
    log += chunk;
  });
  const closed = new Promise<void>((resolve) => browser.on("close", () => resolve()));
  const silence = new Promise((_, reject) => {
    setTimeout(
      () =>
        reject(
          new Error(
            `the page sent nothing: ${log
              .split("\n")
              .filter((l) => !l.includes("dbus"))
              .join("\n")
              .slice(-3000)}`,
          ),
        ),
      60_000,
    ).unref();
  });
  try {
    return await Promise.race([result, silence]);
  } finally {
    browser.kill();
    await closed;
    server.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

describe.skipIf(chromium === undefined)("in a browser [needs Chromium: install Debian's chromium]", () => {
  let found: any;
  beforeAll(async () => {
    found = await runPage(await bundle(new URL("browser-page.ts", import.meta.url)));
    expect(found.error).toBeUndefined();
  }, 120_000);

  it("onnxruntime-web gives on its CPU what the page's host kernels give", () => {
    const { description, ...cases } = found.cpu;
    expect(description).toMatch(/^onnxruntime-web 1\.\d+\.\d+ on cpu, 1 thread$/);
    expect(cases).toEqual(Object.fromEntries(Object.keys(exportCases).map((name) => [name, "agrees"])));
  });
  it("says which devices run", () => {
    const cpu = found.devices.find((report: any) => report.device === "cpu");
    expect(cpu).toMatchObject({ runs: true });
    expect(["cpu", "webgpu"]).toContain(found.auto);
    expect(found.unknown).toMatch(
      /^true DeviceError: .*the installed binding has no device "abacus"; it has webgpu, cpu/,
    );
  });
  it("loads models from bytes and compiles on demand", () => {
    expect(found.model).toEqual([8, 6]);
    expect(found.item).toBe(42);
  });
  it("keeps WebAssembly out of the bundle under a condition, and fetches it from where the page says", async () => {
    // What bundlers take as a file of the page's own.
    const swallowed = /new URL\("[^"]*\.wasm"/;
    const page = new URL("browser-separate-page.ts", import.meta.url);
    expect(await bundle(page)).toMatch(swallowed);
    const script = await bundle(page, ["onnxruntime-web-use-extern-wasm"]);
    expect(script).not.toMatch(swallowed);
    expect(await runPage(script)).toEqual({ item: 42 });
  }, 60_000);
  it("webgpu gives what the page's host kernels give, or says that there is no adapter", () => {
    if (typeof found.webgpu === "string") {
      expect(found.webgpu).toMatch(/^true DeviceError: .*there is no GPU adapter/);
      return;
    }
    const { description, ...cases } = found.webgpu;
    expect(description).toMatch(/ on webgpu, /);
    expect(Object.keys(cases).length).toBeGreaterThan(9);
    expect(new Set(Object.values(cases))).toEqual(new Set(["agrees"]));
  });
});
