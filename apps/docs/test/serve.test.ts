import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chosenPort, isFree, serve } from "../serve.mjs";

let site: Awaited<ReturnType<typeof serve>>;
const parent = mkdtempSync(join(tmpdir(), "offprint-serve-"));
const folder = join(parent, "site");

beforeAll(async () => {
  mkdirSync(join(folder, "guides"), { recursive: true });
  writeFileSync(join(parent, "secret.html"), "secret");
  writeFileSync(join(folder, "index.html"), "home");
  writeFileSync(join(folder, "404.html"), "nothing here");
  writeFileSync(join(folder, "compare.html"), "compare");
  writeFileSync(join(folder, "guides", "index.html"), "guides");
  writeFileSync(join(folder, "module.wasm"), new Uint8Array(4));
  site = await serve(folder);
});
afterAll(async () => {
  await site.close();
  rmSync(parent, { recursive: true });
});

/** A request whose path is sent as it is written, which `fetch` would tidy up. */
function rawStatus(path: string): Promise<number | undefined> {
  const { hostname, port } = new URL(site.address);
  return new Promise((resolve, reject) => {
    request({ hostname, port, path }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on("error", reject)
      .end();
  });
}

describe("the server of the built site", () => {
  it("finds pages without their ending, and the index of a folder", async () => {
    for (const [path, text] of Object.entries({
      "": "home",
      compare: "compare",
      "compare.html": "compare",
      "guides/": "guides",
    })) {
      const response = await fetch(site.address + path);
      expect(response.status).toBe(200);
      expect(await response.text()).toBe(text);
    }
  });

  it("answers 404 with the site's own page", async () => {
    const response = await fetch(`${site.address}no/such/page`);
    expect(response.status).toBe(404);
    expect(await response.text()).toBe("nothing here");
  });

  it("names types that browsers insist on, and compresses", async () => {
    const response = await fetch(`${site.address}module.wasm`);
    expect(response.headers.get("content-type")).toBe("application/wasm");
    expect(response.headers.get("content-encoding")).toBe("gzip");
    expect((await response.arrayBuffer()).byteLength).toBe(4);
  });

  it("does not leave its folder, and survives malformed addresses", async () => {
    expect(await rawStatus("/../secret")).toBe(404);
    expect(await rawStatus("/..%2fsecret.html")).toBe(404);
    expect(await rawStatus("/%")).toBe(400);
    expect((await fetch(site.address)).status).toBe(200);
  });
});

describe("addresses that no file can have", () => {
  it.each(["/index.html/", "/%00", "/module.wasm/x/", `/${"a".repeat(5000)}`, `/${"a/".repeat(3000)}`, "/%zz"])(
    "%.20s... are answered, and the server goes on",
    async (path) => {
      expect([400, 404]).toContain(await rawStatus(path));
      expect(await rawStatus("/")).toBe(200);
    },
  );
});

describe("the port", () => {
  it("is 4173 or the one that is named, and wrong words are told from help", () => {
    expect(chosenPort([])).toEqual({ port: 4173 });
    expect(chosenPort(["--port", "80"])).toEqual({ port: 80 });
    expect(chosenPort(["--port=0"])).toEqual({ port: 0 });
    expect(chosenPort(["--help"])).toMatchObject({ code: 0 });
    for (const words of [["--port"], ["--port", "x"], ["--port", "70000"], ["--prot", "1"], ["--port", "1", "2"]]) {
      expect(chosenPort(words)).toMatchObject({ code: 2 });
    }
  });

  it("is known to be in use before anything is built", async () => {
    const port = Number(new URL(site.address).port);
    expect(await isFree(port)).toBe(false);
    expect(await isFree(0)).toBe(true);
  });
});
