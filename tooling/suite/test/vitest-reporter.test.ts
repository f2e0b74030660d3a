import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { startVitest } from "vitest/node";
import CountingReporter from "../vitest-reporter.mjs";

const tests = `
import { describe, expect, it } from "vitest";
it("passes", () => {});
it("fails", () => expect(1).toBe(2));
it("notes what it needs", (context) => context.skip("needs Vulkan"));
describe.skipIf(true)("device [needs a GPU]", () => {
  it("a", () => {});
  it("b", () => {});
});
it.skip("gives no reason", () => {});
`;

it("counts tests, and tells absent devices from tests that are merely skipped", async () => {
  const root = mkdtempSync(join(tmpdir(), "offprint-reporter-"));
  const results = join(root, "results.json");
  try {
    writeFileSync(join(root, "some.test.mjs"), tests);
    writeFileSync(join(root, "broken.test.mjs"), 'import "./missing.mjs";');
    const reporter = new CountingReporter(results);
    const exitCode = process.exitCode;
    const vitest = await startVitest("test", [], { root, watch: false, reporters: [reporter], config: false });
    await vitest.close();
    process.exitCode = exitCode;
    const { files, unhandled } = JSON.parse(readFileSync(results, "utf8"));
    const nothing = { passed: 0, failed: 0, errors: 0, absent: {}, failures: [], unexplained: [] };
    expect(unhandled).toBe(0);
    expect(files.find(({ path }: { path: string }) => path === "broken.test.mjs")).toMatchObject({
      ...nothing,
      errors: 1,
    });
    expect(files.find(({ path }: { path: string }) => path === "some.test.mjs")).toEqual({
      path: "some.test.mjs",
      seconds: expect.any(Number),
      passed: 1,
      failed: 1,
      errors: 0,
      absent: { "needs Vulkan": 1, "needs a GPU": 2 },
      failures: [expect.stringMatching(/^some\.test\.mjs: fails: expected 1 to be 2/)],
      unexplained: [expect.stringContaining("gives no reason")],
    });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});

it("tells the processor time of each file, whatever it waits: what the job's processes took while it ran", async () => {
  const root = mkdtempSync(join(tmpdir(), "offprint-reporter-"));
  const results = join(root, "results.json");
  try {
    // Processes write what they have taken so far, in microseconds; one is killed, and its file stays.
    const works = (microseconds: number) => `
import { writeFileSync } from "node:fs";
import { it } from "vitest";
it("works", () => writeFileSync(${JSON.stringify(join(root, "cpu-2"))}, "${microseconds}"));
`;
    const waits = `
import { it } from "vitest";
it("waits", () => new Promise((resolve) => setTimeout(resolve, 50)));
`;
    writeFileSync(join(root, "cpu-1"), "7000000");
    writeFileSync(join(root, "unfinished-1"), "9000000");
    writeFileSync(join(root, "works.test.mjs"), works(3_000_000));
    writeFileSync(join(root, "waits.test.mjs"), waits);
    const reporter = new CountingReporter(results, root);
    const options = { root, watch: false, reporters: [reporter], config: false as const, fileParallelism: false };
    const vitest = await startVitest("test", [], options);
    await vitest.close();
    const { files } = JSON.parse(readFileSync(results, "utf8"));
    const seconds = files.map(({ path, seconds: took }: { path: string; seconds: number }) => [path, took]);
    expect(Object.fromEntries(seconds)).toEqual({ "works.test.mjs": 3, "waits.test.mjs": 0 });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
