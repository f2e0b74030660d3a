import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OffprintError, type Tensor, tensor } from "@offprint/tensor-core";
import { decodeFrame, encodeFrame } from "@offprint/tensor-core/internal";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  defineCommand,
  describeError,
  exitCodes,
  Failure,
  option,
  progressBar,
  seedOption,
  shorten,
  stateOptions,
  Terminal,
} from "../src/index.js";
import { Rest } from "../src/terminal.js";
import { runInTwo, runWords } from "../src/testing.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "runs-"));
  writeFileSync(join(folder, "in.txt"), "1");
});
afterAll(() => rmSync(folder, { recursive: true }));

interface State {
  readonly step: number;
  readonly x: Tensor;
}

/** Halves a number under the contract of solvers; `stopAt` fires the signal in that step. */
function halving(stopAt = Infinity, controller = new AbortController()) {
  const command = defineCommand({
    name: "halve-number",
    summary: "halve a number",
    options: {
      input: option.fileIn("a file", { default: join(folder, "in.txt") }),
      beside: option.fileIn("another file"),
      factor: option.number("factor of a step", { default: 0.5 }),
      steps: option.integer("most steps", { default: 10, free: true }),
      ...seedOption,
      ...stateOptions,
    },
    async run({ options, longRun, report }) {
      const run = await longRun<State, State>({ progress: ({ step }) => ({ fraction: step / options.steps }) });
      let state = run.options.resume ?? { step: 0, x: tensor(Float64Array.of(1 / 3)) };
      while (state.step < options.steps && !run.options.signal.aborted) {
        state = { step: state.step + 1, x: state.x.mul(options.factor) };
        run.options.onProgress(state);
        await run.options.checkpoint.save(state);
        if (state.step === stopAt) controller.abort();
      }
      await run.settle({ status: run.options.signal.aborted ? "aborted" : "limit", state });
      report([["x", state.x.item()]]);
    },
  });
  return (...words: (number | string)[]) => runWords([command], "halve-number", words, { signal: controller.signal });
}

describe("a long run", () => {
  const state = () => join(folder, "state.json");

  it("that is interrupted keeps its state, ends with 130, and goes on to the same bits", async () => {
    const first = await halving(4)("--state", state());
    expect(first).toEqual({
      code: exitCodes.interrupted,
      out: "",
      err: `Interrupted. The run is kept in ${state()}; --state ${state()} --resume goes on with it.\n`,
    });
    const second = await halving()("--state", state(), "--resume");
    const whole = await halving()();
    expect(second.code).toBe(0);
    expect(second.err).toBe(`Going on with the run in ${state()}.\n`);
    expect(second.out).toBe(whole.out);
    expect(existsSync("halve-number.state")).toBe(false);
    const more = await halving()("--state", state(), "--resume", "--steps", 12);
    expect(more.out).toBe((await halving()("--steps", 12)).out);
  });

  it("in two parts is compared with one that was not interrupted", async () => {
    const adding = (by: (resumed: boolean) => number) =>
      defineCommand({
        name: "add-up",
        summary: "add up",
        options: { output: option.fileOut("the sum", { required: true }), ...stateOptions },
        async run({ options, longRun, write }) {
          const run = await longRun<number, number>({ progress: (step) => ({ fraction: step / 4 }) });
          let sum = run.options.resume ?? 0;
          while (sum < 4 && !run.options.signal.aborted) {
            sum += by(run.options.resume !== undefined);
            run.options.onProgress(sum);
          }
          await run.settle({ status: run.options.signal.aborted ? "aborted" : "limit", state: sum });
          await write(options.output, String(sum));
        },
      });
    const files = { output: join(folder, "sum.txt"), state: join(folder, "sum.json") };
    const [whole, parts] = await runInTwo([adding(() => 1)], "add-up", [], files);
    expect([whole.file, parts]).toEqual(["4", whole]);
    const [, wrong] = await runInTwo([adding((resumed) => (resumed ? 1.5 : 1))], "add-up", [], files);
    expect(wrong.file).toBe("5");
    const late = { ...files, interruptAt: 2 };
    await expect(runInTwo([adding(() => 1)], "add-up", [], late)).rejects.toThrow(/add-up was not interrupted/);
  });

  it("is not gone on with under other options or with another file", async () => {
    const path = join(folder, "kept.json");
    await halving(4)("--state", path);
    const other = await halving()("--state", path, "--resume", "--factor", 0.25);
    expect(other.code).toBe(2);
    expect(other.err).toContain("had --factor 0.5, now it is 0.25; give the options that it had.");
    writeFileSync(join(folder, "other.txt"), "2");
    const moved = await halving()("--state", path, "--resume", "--input", join(folder, "other.txt"));
    expect(moved.err).toContain("what --input names is not what the run in");
    const more = await halving()("--state", path, "--resume", "--beside", join(folder, "other.txt"));
    expect([more.code, more.err]).toEqual([2, expect.stringContaining("began without --beside; leave it out.")]);
    writeFileSync(path, encodeFrame({ format: "offprint-run-1" }));
    expect((await halving()("--state", path, "--resume")).err).toMatch(
      /kept\.json: it does not hold the state of a run/,
    );
    writeFileSync(path, "no JSON");
    expect((await halving()("--state", path, "--resume")).code).toBe(2);
    const absent = await halving()("--state", join(folder, "absent.json"), "--resume");
    expect(absent.err).toMatch(/Nothing to resume/);
  });

  it("does not replace a file that keeps no run: of the name in --state, or of the default one", async () => {
    const path = join(folder, "picture.png");
    writeFileSync(path, "a picture");
    const refused = {
      code: 2,
      err: expect.stringMatching(/would replace this file, which keeps no run; name another/),
    };
    expect(await halving()("--state", path)).toMatchObject(refused);
    expect(readFileSync(path, "utf8")).toBe("a picture");
    // The state that is removed at the end lies where the command is run.
    writeFileSync("halve-number.state", "notes");
    try {
      expect(await halving()()).toMatchObject(refused);
      expect(readFileSync("halve-number.state", "utf8")).toBe("notes");
    } finally {
      rmSync("halve-number.state", { force: true });
    }
    const empty = join(folder, "empty.state");
    writeFileSync(empty, "");
    expect((await halving()("--state", empty)).code).toBe(0);
    const again = await halving()("--state", empty);
    expect([again.code, again.err]).toEqual([0, expect.stringContaining("keeps an earlier run")]);
  });

  it("keeps arrays as bytes, of which no text could hold half a gigabyte", async () => {
    const path = join(folder, "large.state");
    const command = defineCommand({
      name: "keep-much",
      summary: "keep much",
      options: stateOptions,
      async run({ longRun }) {
        const run = await longRun<number, Float64Array>({ progress: (fraction) => ({ fraction }) });
        await run.settle({ status: "limit", state: run.options.resume ?? new Float64Array(100_000).fill(1 / 3) });
      },
    });
    expect((await runWords([command], "keep-much", ["--state", path])).code).toBe(0);
    const bytes = readFileSync(path);
    expect(bytes.length).toBeLessThan(801_000);
    expect((await runWords([command], "keep-much", ["--state", path, "--resume"])).code).toBe(0);
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });

  it("saves its state at intervals, whole, and says when an earlier run is put aside", async () => {
    const path = join(folder, "often.json");
    const seen: Uint8Array[] = [];
    const command = defineCommand({
      name: "save-often",
      summary: "save often",
      options: stateOptions,
      async run({ longRun }) {
        const run = await longRun<number, State>({ progress: (fraction) => ({ fraction }) });
        for (let step = 0; step < 3; step++) {
          await new Promise((resolve) => setTimeout(resolve, 2));
          await run.options.checkpoint.save({ step, x: tensor([step]) });
          if (existsSync(path)) seen.push(readFileSync(path));
        }
        throw new Failure("killed here", exitCodes.negative);
      },
    });
    const first = await runWords([command], "save-often", ["--state", path, "--checkpoint", "0.0001"]);
    expect(first.code).toBe(1);
    expect(decodeFrame(seen.at(-1)!)).toMatchObject({ format: "offprint-run-1", command: "save-often" });
    const again = await runWords([command], "save-often", ["--state", path, "--checkpoint", 1000]);
    expect(again.err).toMatch(/Starting anew: .*often\.json keeps an earlier run, which --resume would go on with\./);
    expect(readdirSync(folder).filter((name) => name.includes("tmp"))).toEqual([]);
  });
});

describe("a command's end", () => {
  const ends = (run: () => Promise<number | undefined>) => {
    const controller = new AbortController();
    const command = defineCommand({
      name: "end-so",
      summary: "end",
      async run() {
        return run();
      },
    });
    return { controller, done: () => runWords([command], "end-so", [], { signal: controller.signal }) };
  };

  it("has the code that it returns, 2 for every typed error, 1 for what nobody expected", async () => {
    class OwnInputError extends OffprintError {
      override readonly name = "OwnInputError";
    }
    expect((await ends(async () => exitCodes.negative).done()).code).toBe(1);
    const typed = await ends(async () => {
      throw new OwnInputError("solve: eps is 0; give more");
    }).done();
    expect(typed).toEqual({ code: 2, out: "", err: "offprint: solve: eps is 0; give more\n" });
    const bug = await ends(async () => {
      throw new TypeError("oops");
    }).done();
    expect([bug.code, bug.err.startsWith("offprint: unexpected error: TypeError: oops")]).toEqual([1, true]);
    const large = await ends(async () => new Float64Array(2 ** 50).length).done();
    expect([large.code, large.err]).toEqual([
      2,
      "offprint: an array larger than the memory is needed (Invalid typed array length: 1125899906842624); give smaller sizes, such as widths and batches\n",
    ]);
  });

  it("is 130 and one line after Ctrl-C, whatever the work threw or gave", async () => {
    for (const end of [async () => undefined, () => Promise.reject(new Error("half done"))]) {
      const { controller, done } = ends(end);
      controller.abort();
      expect(await done()).toEqual({ code: 130, out: "", err: "Interrupted.\n" });
    }
  });

  it("knows the errors of another copy of the packages, and of the system", () => {
    const copy = Object.assign(new Error("a.npz: truncated"), { [Symbol.for("@offprint/error")]: true });
    expect(describeError(copy)).toEqual({ message: "a.npz: truncated", exitCode: 2 });
    const missing = Object.assign(new Error("ENOENT: no such file"), { code: "ENOENT", path: "a.csv" });
    expect(describeError(missing)).toEqual({ message: "a.csv: there is no such file or folder.", exitCode: 2 });
  });
});

describe("Terminal", () => {
  function recorded(isTTY: boolean) {
    const written: string[] = [];
    const stream = { isTTY, columns: 60, write: (text: string) => written.push(text) };
    return { written, terminal: new Terminal(stream, stream, {}) };
  }

  it("draws a progress bar no wider than the terminal, and takes it away before a line", () => {
    const { written, terminal } = recorded(true);
    terminal.progress(0.5, "diffgrad stability: epoch 3 of 10, seed 4, learning rate 0.1", 0);
    terminal.print("done");
    const start = "\r\u001b[2K";
    expect(written[0]!.startsWith(`${start}[#######-------]  50 % diffgrad`)).toBe(true);
    expect(written[0]!.length - start.length).toBe(59);
    expect(written.slice(1)).toEqual(["\r\u001b[2K", "done\n"]);
  });

  it("redraws at most about every 60 ms", () => {
    const { written, terminal } = recorded(true);
    for (let time = 0; time < 600; time++) terminal.progress(time / 600, "x", time);
    expect(written).toHaveLength(10);
  });

  it("says how long is left as soon as it is known", () => {
    const { written, terminal } = recorded(true);
    terminal.progress(0.1, "x", 0);
    terminal.progress(0.2, "x", 1000);
    terminal.progress(0.4, "x", 3000);
    expect(written[1]).not.toContain("left");
    expect(written[2]).toContain(" 40 %, 6.0 s left x");
    const rest = new Rest();
    expect([rest.after(0.5, 0), rest.after(0.505, 9000), rest.after(0.1, 10000), rest.after(0.2, 14000)]).toEqual([
      undefined,
      undefined,
      undefined,
      expect.closeTo(32, 9),
    ]);
  });

  it("draws no bar where there is no terminal", () => {
    const { written, terminal } = recorded(false);
    terminal.progress(0.5, "x");
    terminal.note("line");
    expect(written).toEqual(["line\n"]);
  });

  it("colours on a terminal only, and not against NO_COLOR", () => {
    const stream = { isTTY: true, write: () => {} };
    expect(new Terminal(stream, stream, {}).colour).toBe(true);
    expect(new Terminal(stream, stream, { NO_COLOR: "1" }).colour).toBe(false);
    expect(recorded(false).terminal.colour).toBe(false);
  });

  it("cuts texts at the width and keeps short ones", () => {
    expect(shorten("abcdef", 4)).toBe("abc…");
    expect(shorten("abc", 4)).toBe("abc");
    expect(progressBar(2, "", 30)).toContain("100 %");
  });
});
