import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { exclusively } from "../exclusively.mjs";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "offprint-lock-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it("gives what is done, and lets the next begin also after a failure", () => {
  const lock = join(folder, "made", "site.lock");
  const fail = () => {
    throw new Error("no");
  };
  expect(() => exclusively(lock, fail)).toThrow("no");
  expect(exclusively(lock, () => existsSync(lock))).toBe(true);
  expect(existsSync(lock)).toBe(false);
});

it("lets processes do it one after the other", async () => {
  const program = `
    import { appendFileSync } from "node:fs";
    import { exclusively } from ${JSON.stringify(new URL("../exclusively.mjs", import.meta.url).href)};
    exclusively(${JSON.stringify(join(folder, "site.lock"))}, () => {
      for (const word of ["begins", "goes on", "ends"]) {
        appendFileSync(${JSON.stringify(join(folder, "log"))}, process.pid + " " + word + "\\n");
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
      }
    });`;
  const children = [1, 2, 3].map(() => spawn(process.execPath, ["--input-type=module", "--eval", program]));
  const codes = await Promise.all(children.map((child) => once(child, "close")));
  expect(codes.map(([code]) => code)).toEqual([0, 0, 0]);
  const lines = readFileSync(join(folder, "log"), "utf8").trim().split("\n");
  const turns = [0, 3, 6].map((at) => lines.slice(at, at + 3).map((line) => line.split(" ")[0]));
  expect(turns.map((pids) => new Set(pids).size)).toEqual([1, 1, 1]);
  expect(new Set(turns.flat()).size).toBe(3);
});

it("does not wait for a process that is gone, or for one whose number another has", () => {
  const lock = join(folder, "site.lock");
  const { pid } = spawnSync(process.execPath, ["--eval", ""]);
  writeFileSync(lock, String(pid));
  expect(exclusively(lock, () => "done")).toBe("done");
  writeFileSync(lock, String(process.ppid));
  utimesSync(lock, 0, 0);
  expect(exclusively(lock, () => "done")).toBe("done");
});
