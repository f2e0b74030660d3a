import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
    [
      ["reproduec"],
      /there is no command "reproduec"\. Did you mean reproduce\? "offprint --help" lists the commands\./,
    ],
    [["--reproduce"], /there is no option "--reproduce"/],
    [["info", "bowle"], /there is no method "bowle"\. Did you mean bowl\?/],
    [["reproduce", "bowl", "slop"], /there is no method "slop"\. Did you mean slope\?/],
    [["bench", "xyzzy"], /there is no method "xyzzy"\. "offprint list" shows all\./],
    [["reproduce", "--device", "gpu"], /--device cannot be "gpu"\. Did you mean cpu or webgpu\? Choices: auto, host/],
    [["reproduce", "--seed", "half"], /--seed must be an integer, got "half"/],
    [["reproduce", "--threads", "0"], /--threads must be an integer of at least 1, got "0"/],
    [["reproduce", "--rezume"], /there is no option "--rezume"\. Did you mean --resume\?/],
    [["bench", "bowl", "--device", "gpu"], /--device: there is no device "gpu"\. Did you mean cpu or webgpu\?/],
    [["info"], /<method> is missing: name from the list/],
    [["list", "all"], /there is one word too many: "all"/],
    [["reproduce", "--seeds", "2", "--report", "r"], /--report shows one seed; leave --seeds out/],
    [["reproduce", "bowl", "--json", "/proc/r.json"], /\/proc\/r\.json: no file can be written there/],
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
  it("lists methods by area with what each is for, wrapped to the terminal", async () => {
    const { code, out } = await offprint.run(["list"], undefined, { COLUMNS: "60" });
    expect(code).toBe(0);
    expect(out.trimEnd().split("\n")).toEqual([
      "Geometry",
      "  slope  Slopes Considered Steep, with a Title Long Enough",
      "         to Be Cut off on Every Terminal That People Still",
      "         Use for Work",
      "",
      "Optimization",
      "  bowl   Go down. Finds the bottom of a bowl by rolling a",
      "         ball",
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
    expect(out).toMatch(/RangeError: the\s+│ error\n[^│]+│\s+│ slope is vertical|RangeError: the slope\s+│ error/);
    expect(err).not.toContain("onnx-runtime");
    expect(err).toContain("✗ slope is-finite: RangeError: the slope is vertical");
  });

  it("tells whose claims crashed, runs the others in another process, and keeps what was finished", async () => {
    const cwd = offprint.folder();
    const words = ["reproduce", "slope", "bowl", "--json", "r.json", "--device", "host"];
    const { code, out, err } = await offprint.run(words, cwd, { OFFPRINT_FIXTURE_CRASH: "1" });
    expect(code).toBe(1);
    expect(out).toContain("2 of 2 claims hold");
    expect(out).not.toContain("slope");
    const error = "slope: the process of the claims ended with SIGKILL.";
    expect(err).toContain(`✗ ${error}\n`);
    const { runs, failures } = JSON.parse(readFileSync(join(cwd, "r.json"), "utf8"));
    expect(runs).toMatchObject([{ method: "bowl", processorSeconds: expect.any(Number) }]);
    expect(failures).toEqual([{ method: "slope", seed: 0, error }]);
    expect(readdirSync(cwd).sort()).toEqual(["offprint-state.json", "r.json"]);

    const again = await offprint.run(["reproduce", "slope", "--resume", "--device", "host"], cwd);
    expect(again.err).toContain("Resuming: 1 finished claim");
    const alone = await offprint.run(["reproduce", "slope", "--device", "host"], cwd, { OFFPRINT_FIXTURE_CRASH: "1" });
    expect([alone.code, alone.out]).toEqual([1, ""]);
    expect(alone.err).toContain(`offprint: ${error}\n`);
  });

  it("runs what a process that was killed had not finished in another one, and counts nothing twice", async () => {
    const cwd = offprint.folder();
    const words = ["reproduce", "slope", "bowl", "--workers", "2", "--json", "r.json", "--device", "host"];
    const killed = { OFFPRINT_FIXTURE_CRASH_ONCE: join(cwd, "crashed") };
    const { code, out, err } = await offprint.run(words, cwd, killed);
    expect(code).toBe(1);
    expect(out).toContain("2 of 4 claims hold");
    expect(err.match(/✗ slope is-steep/g)).toHaveLength(1);
    expect(err).toContain("✗ slope is-finite: RangeError: the slope is vertical");
    expect(readdirSync(cwd).sort()).toEqual(["crashed", "r.json"]);
    const read = (file: string) => JSON.parse(readFileSync(join(cwd, file), "utf8"));
    const { runs, failures } = read("r.json");
    expect(failures ?? []).toEqual([]);
    await offprint.run(["reproduce", "slope", "bowl", "--json", "whole.json", "--device", "host"], cwd);
    const measured = (all: { records: { id: string; measured: unknown }[] }[]) =>
      all.map(({ records }) => records.map(({ id, measured: found }) => [id, found]));
    expect(measured(runs)).toEqual(measured(read("whole.json").runs));
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
    const first = offprint.start(words, cwd, { OFFPRINT_FIXTURE_LOG: log, OFFPRINT_FIXTURE_GATE: "never" });
    await first.shows(/reaches-bottom: holds/);
    await expect.poll(() => lines(log)).toContain("patience-pays");
    first.child.kill("SIGINT");
    const { code, out, err } = await first.finished;
    expect([code, out]).toEqual([130, ""]);
    expect(err).toContain("Interrupted. Finished claims are kept in offprint-state.json (1); --resume continues.");
    expect(readdirSync(cwd).sort()).toEqual(["log", "offprint-state.json"]);

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
    const first = offprint.start(["reproduce", "bowl"], cwd, { OFFPRINT_FIXTURE_GATE: "never" });
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

  it("shares its state file with another run: neither loses the other's claims", async () => {
    const cwd = offprint.folder();
    const started = ["1", "2", "3"].map((seed) =>
      offprint.start(["reproduce", "bowl", "--seed", seed], cwd, { OFFPRINT_FIXTURE_GATE: "never" }),
    );
    for (const { shows } of started) await shows(/reaches-bottom: holds/);
    for (const { child } of started) child.kill("SIGINT");
    for (const { finished } of started) expect((await finished).err).toContain("offprint-state.json (1)");
    const { runs } = JSON.parse(readFileSync(join(cwd, "offprint-state.json"), "utf8"));
    expect(Object.values(runs).map((records) => (records as unknown[]).length)).toEqual([1, 1, 1]);
    expect(readdirSync(cwd)).toEqual(["offprint-state.json"]);
  });

  it("goes on where finished claims cannot be kept, and says so once", async () => {
    const cwd = offprint.folder();
    mkdirSync(join(cwd, "deep"));
    const words = ["reproduce", "bowl", "--state", "deep/state.json"];
    const gate = join(cwd, "gate");
    const other = offprint.start(words, cwd, { OFFPRINT_FIXTURE_GATE: gate });
    await other.shows(/reaches-bottom: holds/);
    rmSync(join(cwd, "deep"), { recursive: true });
    writeFileSync(gate, "");
    const { code, err, out } = await other.finished;
    expect(code).toBe(0);
    expect(err.match(/Warning: finished claims are not kept/g)).toHaveLength(1);
    expect(out).toContain("2 of 2 claims hold");
  });

  it("runs several seeds on several workers, and says at how many each claim holds", async () => {
    const cwd = offprint.folder();
    const words = ["reproduce", "--seeds", "3", "--seed", "5", "--workers", "2", "--json", "r.json"];
    const { code, out, err } = await offprint.run([...words, "--device", "host"], cwd);
    expect(code).toBe(1);
    expect(out).toContain("seeds 5 to 7, quick, device host");
    expect(out).toMatch(/bowl\s+reaches-bottom\s+3 of 3\s+yes\n/);
    expect(out).toMatch(/slope\s+is-finite\s+0 of 3\s+NO\s+5, 6, 7\n/);
    expect(out).toMatch(/2 of 4 claims hold at nine seeds of ten/);
    expect(err).toContain("✓ bowl reaches-bottom, seed 6: holds");
    const { runs } = JSON.parse(readFileSync(join(cwd, "r.json"), "utf8"));
    expect(runs.map((run: { method: string; seed: number }) => `${run.method} ${run.seed}`)).toEqual([
      "slope 5",
      "bowl 5",
      "slope 6",
      "bowl 6",
      "slope 7",
      "bowl 7",
    ]);
    const single = await offprint.run(
      ["reproduce", "bowl", "--seed", "6", "--device", "host", "--json", "one.json"],
      cwd,
    );
    expect(single.code).toBe(0);
    const one = JSON.parse(readFileSync(join(cwd, "one.json"), "utf8"));
    expect(one.runs[0].records[0].measured).toBe(runs[3].records[0].measured);
  });

  it.each([
    ["text", "not json"],
    ["other JSON", '{"runs":[]}'],
    ["a record without a verdict", '{"format":"offprint-state","formatVersion":1,"runs":{"k":[{"id":"a"}]}}'],
    [
      "a record without what was measured",
      '{"format":"offprint-state","formatVersion":1,"runs":{"k":[{"id":"a","statement":"","source":"","paper":1,"holds":true,"detail":"","seconds":1,"series":[],"tables":[]}]}}',
    ],
  ])("does not overwrite a file that is no state file: %s", async (_, content) => {
    const cwd = offprint.folder();
    writeFileSync(join(cwd, "notes.txt"), content);
    const { code, out, err } = await offprint.run(["reproduce", "bowl", "--state", "notes.txt"], cwd);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toBe(
      "offprint: notes.txt: not a whole state file of offprint; delete it, or name another one with --state.\n",
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
    [["roll", "missing.txt"], "offprint: missing.txt: there is no such file.\n"],
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

describe("standard output and standard error", () => {
  it("that are closed early are no error", async () => {
    for (const words of [["list"], ["reproduce", "slope"]]) {
      const { child, finished } = offprint.start(words, offprint.folder());
      child.stdout?.destroy();
      child.stderr?.destroy();
      expect((await finished).code).toBe(0);
    }
  });

  it("that are full are one line and exit code 2", async () => {
    const { code, err } = await offprint.run(["list"], undefined, {}, openSync("/dev/full", "w"));
    expect([code, err]).toEqual([2, "offprint: standard output: the disk is full.\n"]);
  });
});
