import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClaimRecord } from "@offprint/claims";
import { Failure } from "@offprint/commands";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { StoredClaims } from "../src/stored-claims.js";
import { Installation } from "./installation.js";

const folder = mkdtempSync(join(tmpdir(), "offprint stored "));
let offprint: Installation;
beforeAll(async () => {
  offprint = await Installation.create(["bowl"]);
});
afterAll(() => {
  offprint.remove();
  rmSync(folder, { recursive: true });
});

const record = (id: string): ClaimRecord => ({
  ...{
    id,
    statement: "It holds – até aqui",
    source: "Section 1",
    paper: 1,
    measured: { a: 1, b: "none" },
    holds: true,
  },
  detail: "1 of 1",
  series: [
    {
      kind: "line",
      title: "Loss",
      x: { label: "step" },
      y: { label: "loss" },
      curves: [{ name: "a", x: [0, 1], y: [2, 1] }],
    },
  ],
  tables: [{ title: "All", columns: ["n"], rows: [[1]] }],
  seconds: 0.25,
});

function failure(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

describe("a state file of reproduce that was cut off", () => {
  it("is refused wherever it ends, and stays as it is", () => {
    const path = join(folder, "whole.json");
    const stored = StoredClaims.open(path);
    stored.keep("bowl 0", record("first"));
    stored.keep("bowl 0", record("second"));
    expect(StoredClaims.open(path).finished("bowl 0")).toEqual([record("first"), record("second")]);
    const whole = readFileSync(path);
    const cut = join(folder, "cut.json");
    // Without the line's end it is whole.
    for (let length = 0; length < whole.length - 1; length++) {
      writeFileSync(cut, whole.subarray(0, length));
      expect(failure(() => StoredClaims.open(cut))).toBeInstanceOf(Failure);
      expect(readFileSync(cut)).toEqual(whole.subarray(0, length));
    }
    expect(readdirSync(folder).sort()).toEqual(["cut.json", "whole.json"]);
  });

  it("ends --resume before anything is run, and is not overwritten", async () => {
    const cwd = offprint.folder();
    const first = offprint.start(["reproduce", "bowl"], cwd, { OFFPRINT_FIXTURE_GATE: "never" });
    await first.shows(/reaches-bottom: holds/);
    first.child.kill("SIGKILL");
    await first.finished;
    const state = join(cwd, "offprint-state.json");
    const whole = readFileSync(state, "utf8");
    const half = whole.slice(0, whole.length >> 1);
    writeFileSync(state, half);
    const log = join(cwd, "log");
    for (const words of [["--resume"], [], ["--resume", "--json", "r.json"]]) {
      const { code, out, err } = await offprint.run(["reproduce", "bowl", ...words], cwd, {
        OFFPRINT_FIXTURE_LOG: log,
      });
      expect([code, out]).toEqual([2, ""]);
      expect(err).toBe(
        "offprint: offprint-state.json: not a whole state file of offprint; delete it, or name another one with --state.\n",
      );
      expect(readFileSync(state, "utf8")).toBe(half);
      expect(existsSync(log)).toBe(false);
    }
    expect(readdirSync(cwd)).toEqual(["offprint-state.json"]);
    writeFileSync(state, whole);
    const again = await offprint.run(["reproduce", "bowl", "--resume"], cwd);
    expect(again.err).toContain("Resuming: 1 finished claim");
    expect(again.code).toBe(0);
  });
});

describe("a lock of a process that stands still", () => {
  it("is waited for: what it changes is not lost", async () => {
    const path = join(folder, "slow.json");
    const lock = `${path}.lock`;
    const holder = `
      const { writeFileSync, utimesSync, rmSync } = require("node:fs");
      writeFileSync(${JSON.stringify(lock)}, String(process.pid));
      utimesSync(${JSON.stringify(lock)}, Date.now() / 1000 - 20, Date.now() / 1000 - 20);
      console.log("locked");
      setTimeout(() => {
        writeFileSync(${JSON.stringify(`${path}.changed`)}, "");
        rmSync(${JSON.stringify(lock)});
      }, 200);`;
    const child = spawn(process.execPath, ["-e", holder], { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    StoredClaims.open(path).keep("bowl 0", record("first"));
    expect(existsSync(`${path}.changed`)).toBe(true);
    expect(StoredClaims.open(path).count(["bowl 0"])).toBe(1);
    await once(child, "close");
  });
});

describe("a lock that a killed process left", () => {
  it("holds nobody up", () => {
    const path = join(folder, "locked.json");
    const stored = StoredClaims.open(path);
    const { pid } = spawnSync(process.execPath, ["-e", ""]);
    writeFileSync(`${path}.lock`, String(pid));
    stored.keep("bowl 0", record("first"));
    // Killed before it wrote its number: the age of the lock tells.
    writeFileSync(`${path}.lock`, "");
    utimesSync(`${path}.lock`, new Date(0), new Date(0));
    stored.keep("bowl 0", record("second"));
    expect(StoredClaims.open(path).count(["bowl 0"])).toBe(2);
    expect(existsSync(`${path}.lock`)).toBe(false);
  });
});
