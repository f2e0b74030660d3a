import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Installation } from "./installation.js";

let offprint: Installation;

beforeAll(async () => {
  offprint = await Installation.create(["bowl", "slope"]);
});

afterAll(() => offprint.remove());

function lines(path: string): string[] {
  return existsSync(path) ? readFileSync(path, "utf8").trim().split("\n") : [];
}

describe("offprint without a task", () => {
  it("prints help without arguments", async () => {
    const { code, out } = await offprint.run([]);
    expect(code).toBe(0);
    for (const word of ["list", "info", "reproduce", "bench", "doctor", "Commands of methods:", "roll"]) {
      expect(out).toContain(word);
    }
  });

  it.each(["list", "info", "reproduce", "bench", "doctor", "roll"])("%s has --help", async (command) => {
    const { code, out, err } = await offprint.run([command, "--help"]);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(new RegExp(`^Usage: offprint ${command}`));
  });

  it("prints its version", async () => {
    expect(await offprint.run(["--version"])).toEqual({ code: 0, out: "7.8.9\n", err: "" });
  });

  it.each([
    [["reproduec"], /unknown command 'reproduec'\n\(Did you mean reproduce\?\)/],
    [["info", "bowle"], /there is no method "bowle"\. Did you mean bowl\?/],
    [["reproduce", "bowl", "slop"], /there is no method "slop"\. Did you mean slope\?/],
    [["bench", "xyzzy"], /there is no method "xyzzy"\. "offprint list" shows all\./],
    [
      ["reproduce", "--device", "gpu"],
      /there is no device "gpu"\. Did you mean cpu or webgpu\? Devices are auto, host/,
    ],
    [["reproduce", "--seed", "half"], /--seed must be an integer, got "half"/],
    [["reproduce", "--threads", "0"], /--threads must be an integer of at least 1, got "0"/],
    [["reproduce", "--rezume"], /unknown option '--rezume'\n\(Did you mean --resume\?\)/],
    [["info"], /missing required argument 'method'/],
    [["list", "all"], /too many arguments/],
    [["reproduce", "bowl", "--json", "nowhere/r.json"], /nowhere\/r\.json: its folder nowhere does not exist/],
    [["reproduce", "bowl", "--device", "cpu"], /device cpu: @offprint\/onnx-runtime is not installed/],
  ])("%j is wrong usage: exit code 2, nothing on standard output", async (words, message) => {
    const cwd = offprint.folder();
    const { code, out, err } = await offprint.run(words, cwd);
    expect(err).toMatch(message);
    expect([code, out]).toEqual([2, ""]);
    expect(readdirSync(cwd)).toEqual([]);
  });
});

describe("offprint list", () => {
  it("lists methods by area, one line each, cut to the terminal", async () => {
    const { code, out } = await offprint.run(["list"], undefined, { COLUMNS: "60" });
    expect(code).toBe(0);
    expect(out.trimEnd().split("\n")).toEqual([
      "Geometry",
      "  slope  Slopes Considered Steep, with a Title Long Enough …",
      "",
      "Optimization",
      "  bowl   Rolling to the Bottom of a Bowl (2019)",
    ]);
  });
});

describe("offprint info", () => {
  it("shows the paper, links, claims, commands, and how to install and use the method", async () => {
    const { code, out } = await offprint.run(["info", "bowl"]);
    expect(code).toBe(0);
    for (const part of [
      "bowl 1.2.3",
      "A. Ball, B. Bowl (2019)",
      "https://arxiv.org/abs/1901.00001",
      "https://www.npmjs.com/package/@offprint/bowl",
      "https://github.com/offprint/offprint/tree/main/packages/methods/bowl",
      "npm install @offprint/bowl",
      "The ball reaches the bottom of the bowl from any height (Theorem 1)",
      "offprint roll",
      "  roll(3);",
    ]) {
      expect(out).toContain(part);
    }
  });

  it("knows a method by the name of its package, and leaves out what is not known", async () => {
    const { code, out } = await offprint.run(["info", "@offprint/slope"]);
    expect(code).toBe(0);
    expect(out).not.toMatch(/arxiv|Usage|Commands|undefined/);
  });
});

describe("offprint reproduce", () => {
  it("prints the table and ends with 0 when all claims hold", async () => {
    const cwd = offprint.folder();
    const { code, out, err } = await offprint.run(["reproduce", "bowl"], cwd);
    expect(code).toBe(0);
    expect(out).toContain("bowl 1.2.3, seed 0, quick, device host");
    expect(out).toMatch(/claim\s+│ paper\s+│ measured\s+│ holds/);
    expect(out).toMatch(/The ball reaches the bottom.*│ < 1e-6 │ 1\.\d+e−9\s*│ yes/);
    expect(out).toContain("2 of 2 claims hold");
    expect(err).toMatch(/@offprint\/onnx-runtime is not installed .*: running on the host\./);
    expect(err).toMatch(/✓ bowl reaches-bottom: holds \(/);
    expect(readdirSync(cwd)).toEqual([]);
  });

  it("ends with 1 when a claim does not hold or ends with an error, and runs the others", async () => {
    const { code, out, err } = await offprint.run(["reproduce", "--device", "host"]);
    expect(code).toBe(1);
    expect(out).toContain("2 of 4 claims hold");
    expect(out).toMatch(/│ NO/);
    expect(out).toMatch(/RangeError: the slope\s+│ error\n\s+│\s+│ is vertical/);
    expect(err).not.toContain("onnx-runtime");
    expect(err).toContain("✗ slope is-finite: RangeError: the slope is vertical");
  });

  it("writes results and a report, equal for equal seeds", async () => {
    const cwd = offprint.folder();
    const words = ["reproduce", "bowl", "--seed", "5", "--full", "--json", "r.json", "--report", "new/report"];
    const { code, out } = await offprint.run(words, cwd);
    expect(code).toBe(0);
    expect(out).toContain(`Report: ${join("new", "report", "index.html")}`);
    const results = JSON.parse(readFileSync(join(cwd, "r.json"), "utf8"));
    expect(results).toMatchObject({
      format: "offprint-results",
      environment: { facts: { Node: expect.stringContaining(process.versions.node) } },
      runs: [{ method: "bowl", version: "1.2.3", seed: 5, scale: "full", device: "host" }],
    });
    const page = readFileSync(join(cwd, "new", "report", "index.html"), "utf8");
    for (const part of [
      "<!doctype html>",
      "Height of the ball",
      "height (m)",
      "seed 5",
      "1901.00001",
      "2 of 2 claims hold",
    ]) {
      expect(page).toContain(part);
    }
    expect(readdirSync(cwd).sort()).toEqual(["new", "r.json"]);

    await offprint.run(["reproduce", "bowl", "--seed", "5", "--full", "--json", "again.json"], cwd);
    const again = JSON.parse(readFileSync(join(cwd, "again.json"), "utf8"));
    expect(again.runs[0].records[0].measured).toBe(results.runs[0].records[0].measured);
    await offprint.run(["reproduce", "bowl", "--seed", "6", "--full", "--json", "again.json"], cwd);
    const other = JSON.parse(readFileSync(join(cwd, "again.json"), "utf8"));
    expect(other.runs[0].records[0].measured).not.toBe(results.runs[0].records[0].measured);
  });

  it("keeps finished claims when interrupted, and --resume runs only the others", async () => {
    const cwd = offprint.folder();
    const log = join(cwd, "log");
    const words = ["reproduce", "bowl", "--json", "r.json", "--report", "report"];
    const first = offprint.start(words, cwd, { OFFPRINT_FIXTURE_LOG: log, OFFPRINT_FIXTURE_PAUSE: "60000" });
    await first.shows(/reaches-bottom: holds/);
    await new Promise((resolve) => setTimeout(resolve, 50));
    first.child.kill("SIGINT");
    const { code, out, err } = await first.finished;
    expect([code, out]).toEqual([130, ""]);
    expect(err).toContain("Interrupted. Finished claims are kept in offprint-state.json (1); --resume continues.");
    expect(readdirSync(cwd).sort()).toEqual(["log", "offprint-state.json", "report"]);
    expect(readdirSync(join(cwd, "report"))).toEqual([]);

    const second = await offprint.run([...words, "--resume"], cwd, { OFFPRINT_FIXTURE_LOG: log });
    expect(second.code).toBe(0);
    expect(second.err).toContain("Resuming: 1 finished claim from offprint-state.json.");
    expect(second.out).toContain("2 of 2 claims hold");
    expect(lines(log)).toEqual(["reaches-bottom", "patience-pays", "patience-pays"]);
    expect(readdirSync(cwd).sort()).toEqual(["log", "r.json", "report"]);

    const whole = await offprint.run(["reproduce", "bowl", "--json", "whole.json"], cwd);
    expect(whole.code).toBe(0);
    const measured = (file: string) =>
      JSON.parse(readFileSync(join(cwd, file), "utf8")).runs[0].records.map(
        (record: { measured: unknown }) => record.measured,
      );
    expect(measured("r.json")).toEqual(measured("whole.json"));
  });

  it("keeps finished claims when it is killed, and does not use them for another seed", async () => {
    const cwd = offprint.folder();
    const log = join(cwd, "log");
    const first = offprint.start(["reproduce", "bowl"], cwd, { OFFPRINT_FIXTURE_PAUSE: "60000" });
    await first.shows(/reaches-bottom: holds/);
    first.child.kill("SIGKILL");
    await first.finished;
    const other = await offprint.run(["reproduce", "bowl", "--resume", "--seed", "1"], cwd, {
      OFFPRINT_FIXTURE_LOG: log,
    });
    expect(other.err).toContain("Nothing to resume");
    expect(lines(log)).toEqual(["reaches-bottom", "patience-pays"]);
    const same = await offprint.run(["reproduce", "bowl", "--resume"], cwd, { OFFPRINT_FIXTURE_LOG: log });
    expect(same.code).toBe(0);
    expect(lines(log)).toEqual(["reaches-bottom", "patience-pays", "patience-pays"]);
    expect(readdirSync(cwd)).toEqual(["log"]);
  });

  it.each([
    ["text", "not json"],
    ["other JSON", '{"runs":[]}'],
    ["a record without a verdict", '{"format":"offprint-state","formatVersion":1,"runs":{"k":[{"id":"a"}]}}'],
  ])("does not overwrite a file that is no state file: %s", async (_, content) => {
    const cwd = offprint.folder();
    writeFileSync(join(cwd, "notes.txt"), content);
    const { code, out, err } = await offprint.run(["reproduce", "bowl", "--state", "notes.txt"], cwd);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toBe(
      "offprint: notes.txt: not a state file of offprint; delete it, or name another one with --state.\n",
    );
    expect(readFileSync(join(cwd, "notes.txt"), "utf8")).toBe(content);
  });

  it("says in one line what is wrong with a place for the report", async () => {
    const cwd = offprint.folder();
    writeFileSync(join(cwd, "taken"), "");
    mkdirSync(join(cwd, "folder"));
    const report = await offprint.run(["reproduce", "bowl", "--report", "taken"], cwd);
    expect([report.code, report.err]).toEqual([2, "offprint: taken: it exists and is not a folder.\n"]);
    const json = await offprint.run(["reproduce", "bowl", "--json", "folder"], cwd);
    expect([json.code, json.err]).toEqual([2, "offprint: folder: it is a folder, a file is needed.\n"]);
  });
});

describe("a method's own command", () => {
  it("gets its arguments and options", async () => {
    const cwd = offprint.folder();
    writeFileSync(join(cwd, "a.txt"), "4\n2\n");
    writeFileSync(join(cwd, "b.txt"), "10\n");
    const { code, out } = await offprint.run(
      ["roll", "a.txt", "b.txt", "--step-size", "0.75", "--device", "host"],
      cwd,
    );
    expect([code, out]).toEqual([0, "4 -> 1\n2 -> 0.5\n10 -> 2.5\nsum 4 on host\n"]);
    const quiet = await offprint.run(["roll", "a.txt", "--quiet", "--device", "host"], cwd);
    expect([quiet.code, quiet.out]).toEqual([0, "sum 3 on host\n"]);
  });

  it.each([
    [["roll", "missing.txt"], "offprint: missing.txt: there is no such file or folder.\n"],
    [["roll", "bad.txt", "--quiet"], 'offprint: bad.txt: line 2 is no number: "x".\n'],
    [["roll", "bad.txt", "--step-size", "big"], 'offprint: --step-size must be a number, got "big".\n'],
  ])("%j ends with one line and exit code 2", async (words, message) => {
    const cwd = offprint.folder();
    writeFileSync(join(cwd, "bad.txt"), "1\nx\n");
    expect(await offprint.run(words, cwd)).toEqual({ code: 2, out: "", err: message });
  });
});

describe("offprint bench", () => {
  it("times every claim", async () => {
    const { code, out } = await offprint.run(["bench", "bowl", "--rounds", "2", "--device", "host"]);
    expect(code).toBe(0);
    expect(out).toContain("bowl 1.2.3: time of each claim, median of 2 rounds, seed 0, quick");
    expect(out).toMatch(/reaches-bottom\s+[\d.]+ (µs|ms|s)\npatience-pays\s+[\d.]+ (µs|ms|s)\n/);
  });

  it("ends with 1 and the reason when a claim ends with an error", async () => {
    const { code, err } = await offprint.run(["bench", "slope", "--device", "host"]);
    expect(code).toBe(1);
    expect(err).toContain("slope is-finite on host: RangeError: the slope is vertical");
  });
});

describe("a closed pipe", () => {
  it("is no error", async () => {
    const { child, finished } = offprint.start(["list"], offprint.folder());
    child.stdout.destroy();
    expect(await finished).toMatchObject({ code: 0, err: "" });
  });
});
