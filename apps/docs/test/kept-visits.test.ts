import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { KeptVisits } from "./kept-visits.js";

let site = "";
const write = (path: string, text: string) => writeFileSync(join(site, path), text);
const visits = () => new KeptVisits<string>(join(site, "kept", "visits.json"), site);
beforeEach(() => {
  site = mkdtempSync(join(tmpdir(), "offprint-visits-"));
  mkdirSync(join(site, "assets"));
  write("assets/style.AbCd1234.css", "p { margin: 0 }");
  write("index.html", '<script src="/assets/app.AbCd1234.js"></script><p>Home</p>');
  write("page.html", "<p>Page</p>");
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(site, { recursive: true, force: true });
});

it("a page is known while its markup and the styles are the same, whatever built files are called", () => {
  const first = visits();
  const [home, page] = [first.keyOf(""), first.keyOf("page")];
  first.set(home, "seen");
  first.save();
  write("index.html", '<script src="/assets/app.zZ_-9876.js"></script><p>Home</p>');
  expect(visits().get(visits().keyOf(""))).toBe("seen");
  expect(visits().get(page)).toBeUndefined();
  write("index.html", "<p>Another</p>");
  expect(visits().get(visits().keyOf(""))).toBeUndefined();
  write("assets/style.AbCd1234.css", "p { margin: 1em }");
  expect(visits().keyOf("page")).not.toBe(page);
});

it("nothing is known where all is to be looked at anew, or the file is damaged", () => {
  const first = visits();
  const key = first.keyOf("");
  first.set(key, "seen");
  first.save();
  vi.stubEnv("OFFPRINT_FRESH", "1");
  expect(visits().get(key)).toBeUndefined();
  vi.unstubAllEnvs();
  expect(visits().get(key)).toBe("seen");
  write("kept/visits.json", "[[1");
  expect(visits().get(key)).toBeUndefined();
});
