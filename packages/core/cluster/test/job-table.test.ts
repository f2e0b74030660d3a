import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { failureOf } from "@offprint/testing";
import { afterAll, describe, expect, it } from "vitest";
import { readJobTable } from "../src/job-table.js";

const folder = mkdtempSync(join(tmpdir(), "offprint-jobs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function install(name: string, manifest: object, at = folder): void {
  const directory = join(at, "node_modules", name);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "package.json"), JSON.stringify({ name, version: "1.0.0", ...manifest }));
  writeFileSync(join(directory, "jobs.js"), "export const job = () => 1;");
}

const manifest = join(folder, "package.json");
install("declares", { exports: { "./jobs": "./jobs.js" }, offprint: { jobs: { job: "./jobs", gone: "./absent" } } });
install("undeclared", { exports: { "./jobs": "./jobs.js" }, offprint: { jobs: { job: "./jobs" } } });
install("hidden", { exports: {}, offprint: { jobs: { job: "./jobs" } } });
writeFileSync(manifest, JSON.stringify({ dependencies: { declares: "*", hidden: "*", absent: "*" } }));

describe("the table of jobs", () => {
  it("holds what dependencies declare and export, and nothing else", () => {
    expect([...readJobTable(manifest)].map(([job, { version, name }]) => [job, version, name])).toEqual([
      ["declares#job", "1.0.0", "job"],
    ]);
    expect(readJobTable(pathToFileURL(manifest)).get("declares#job")?.module).toMatch(/^file:.*jobs\.js$/);
  });

  it.each([
    ["../outside", "job"],
    ["./../outside", "job"],
    ["node:child_process", "execSync"],
    ["data:text/javascript,export const job = () => 1", "job"],
    ["file:///etc/passwd", "job"],
    ["./jobs", "not a name"],
  ])("refuses a declaration that reaches elsewhere: %s", async (entry, name) => {
    const bad = mkdtempSync(join(folder, "bad-"));
    install("bad", { exports: { "./jobs": "./jobs.js" }, offprint: { jobs: { [name]: entry } } }, bad);
    writeFileSync(join(bad, "package.json"), JSON.stringify({ dependencies: { bad: "*" } }));
    expect((await failureOf(() => readJobTable(join(bad, "package.json")))).message).toContain(
      "package.json of bad declares",
    );
  });

  it("says which file is missing", async () => {
    expect((await failureOf(() => readJobTable(join(folder, "no.json")))).message).toContain("there is no file");
  });
});
