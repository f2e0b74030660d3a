import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { temporaryFolder } from "@offprint/testing";
import { beforeEach, expect, it } from "vitest";
import { contentHash } from "../site-content.mjs";

let site = "";
function write(files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(site, path)), { recursive: true });
    writeFileSync(join(site, path), text);
  }
}

const told = (hash: string) => `JSON.parse("{\\"a.md\\":\\"${hash}\\"}")`;
const loaded = [
  "a.html",
  "assets/metadata.AAAAAAAA.js",
  "live/worker-AAAAAAAA.js",
  "live/part-11111111.js",
  "live/a.wasm",
];
beforeEach(() => {
  site = temporaryFolder("site");
  write({
    "a.html": '<script src="/assets/app.AAAAAAAA.js"></script>',
    "assets/metadata.AAAAAAAA.js": told("AAAAAAAA"),
    "live/worker-AAAAAAAA.js": 'import("./part-11111111.js"); import("./part-22222222.js");',
    "live/part-11111111.js": "1;",
    "live/part-22222222.js": "2;",
    "live/a.wasm": "part-11111111.js",
  });
});

it("files are the same under other names, and while what they name besides is not loaded", () => {
  const before = contentHash(loaded, site);
  for (const path of ["assets/metadata.AAAAAAAA.js", "live/worker-AAAAAAAA.js", "live/part-22222222.js"]) {
    rmSync(join(site, path));
  }
  write({
    "a.html": '<script src="/assets/app.BBBBBBBB.js"></script>',
    "assets/metadata.BBBBBBBB.js": told("B-_bBBBB"),
    "live/worker-BBBBBBBB.js": 'import("./part-11111111.js"); import("./part-33333333.js");',
    "live/part-33333333.js": "3;",
    "b.html": "another",
  });
  expect(contentHash(loaded, site)).toBe(before);
  expect(contentHash([...loaded, "live/part-22222222.js"], site)).not.toBe(before);
});

it.each([
  ["a page", "a.html", '<script src="/assets/app.AAAAAAAA.js"></script> more'],
  ["a script of all pages", "assets/metadata.AAAAAAAA.js", `${told("AAAAAAAA")};`],
  ["a bundle", "live/worker-AAAAAAAA.js", 'import("./part-11111111.js"); import("./part-22222222.js"); more();'],
  ["a part that it loads", "live/worker-AAAAAAAA.js", 'import("./part-44444444.js"); import("./part-22222222.js");'],
  ["what is no text", "live/a.wasm", "part-33333333.js"],
])("%s that has changed is told", (_, path, text) => {
  const before = contentHash(loaded, site);
  write({ [path]: text });
  expect(contentHash(loaded, site)).not.toBe(before);
});

it("a file that is gone is told", () => {
  const before = contentHash(loaded, site);
  rmSync(join(site, "live/part-11111111.js"));
  expect(contentHash(loaded, site)).not.toBe(before);
});
