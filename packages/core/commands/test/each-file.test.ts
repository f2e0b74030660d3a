import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { defineCommand, eachFile, Failure, filesOf, type LongRun, option, stateOptions } from "../src/index.js";
import { runWords } from "../src/testing.js";

const folder = mkdtempSync(join(tmpdir(), "each-file-"));
afterAll(() => rmSync(folder, { recursive: true }));
let number = 0;
let home: string;
beforeEach(() => {
  home = join(folder, String(number++));
  mkdirSync(join(home, "in"), { recursive: true });
  for (const [name, text] of Object.entries({ "a.txt": "1", "b.txt": "2", "c.txt": "3", "notes.md": "4" })) {
    writeFileSync(join(home, "in", name), text);
  }
});
const at = (name: string) => join(home, name);

interface Doubled {
  step: number;
  x: number;
}

/** Doubles the number of each file four times, and fires the signal before the step whose place in all steps is given. */
function doubling(stopBefore = Infinity, controller = new AbortController()) {
  let steps = 0;
  const command = defineCommand({
    name: "double-numbers",
    summary: "double numbers",
    options: {
      input: option.fileIn("file or folder", { kind: "either", required: true }),
      output: option.fileOut("file or folder", { kind: "either", endings: [".out"] }),
      ...stateOptions,
    },
    async run(input) {
      const { options, write } = input;
      const files = filesOf(options.input, [".txt"]);
      const output = files.resultsIn(options.output, [".out"]);
      return eachFile(input, files, {
        progress: ({ step }) => ({ fraction: step / 4, label: `step ${step}` }),
        async work(name, { resume, checkpoint, signal, onProgress }: LongRun<Doubled, Doubled>["options"]) {
          let state = resume ?? { step: 0, x: Number(readFileSync(files.pathOf(name), "utf8")) };
          if (!Number.isFinite(state.x)) throw new Failure(`readNumber: ${name} holds no number`);
          while (state.step < 4) {
            if (++steps === stopBefore) controller.abort();
            if (signal.aborted) return { status: "aborted", state };
            state = { step: state.step + 1, x: 2 * state.x };
            await onProgress(state);
            await checkpoint.save(state);
          }
          return { status: "limit", state };
        },
        finish: (name, { state }) => write(output(name), String(state.x)),
      });
    },
  });
  return async (words: object) => {
    const result = await runWords([command], "double-numbers", { ...words }, { signal: controller.signal });
    return { ...result, steps };
  };
}
const results = () =>
  ["a", "b", "c"].map((name) => {
    const path = at(`out/${name}.out`);
    return existsSync(path) ? readFileSync(path, "utf8") : undefined;
  });

describe("eachFile", () => {
  it("works on all files of the kind, and writes results of their names", async () => {
    const { code, out, steps } = await doubling()({ input: at("in"), output: at("out"), state: at("state.json") });
    expect([code, steps, results()]).toEqual([0, 12, ["16", "32", "48"]]);
    expect(out).toMatch(/a\.txt:.*b\.txt:.*c\.txt:.*3 of 3 done/s);
    expect(existsSync(at("out/notes.out"))).toBe(false);
  });

  it("keeps what is done and the file at hand when it is interrupted, and goes on from there", async () => {
    const words = { input: at("in"), output: at("out"), state: at("state.json") };
    const first = await doubling(7)(words);
    expect([first.code, first.err]).toEqual([130, expect.stringContaining("--resume goes on with it")]);
    expect(results()).toEqual(["16", undefined, undefined]);
    writeFileSync(at("in/b.txt"), "not looked at again");
    const again = await doubling()({ ...words, resume: true });
    expect([again.code, again.steps, results()]).toEqual([0, 6, ["16", "32", "48"]]);
    expect(again.out).not.toMatch(/a\.txt/);
  });

  it("passes over a file that cannot be worked on, says so, and tries it again", async () => {
    writeFileSync(at("in/b.txt"), "two");
    const words = { input: at("in"), output: at("out"), state: at("state.json") };
    const first = await doubling()(words);
    expect([first.code, results()]).toEqual([2, ["16", undefined, "48"]]);
    expect(first.err).toMatch(/^b\.txt is passed over: b\.txt holds no number/);
    expect(first.out).toMatch(/2 of 3 done/);
    writeFileSync(at("in/b.txt"), "2");
    const again = await doubling()({ ...words, resume: true });
    expect([again.code, again.steps, results()]).toEqual([0, 4, ["16", "32", "48"]]);
  });

  it("works on one file as any long run does", async () => {
    const words = { input: at("in/c.txt"), output: at("c.out"), state: at("state.json") };
    const first = await doubling(3)(words);
    expect([first.code, existsSync(at("c.out"))]).toEqual([130, false]);
    for (const steps of [2, 0]) {
      const again = await doubling()({ ...words, resume: true });
      expect([again.code, again.steps, readFileSync(at("c.out"), "utf8")]).toEqual([0, steps, "48"]);
    }
    writeFileSync(at("in/c.txt"), "three");
    const wrong = await doubling()({ input: at("in/c.txt"), state: at("other.json") });
    expect([wrong.code, wrong.err]).toEqual([2, "offprint: c.txt holds no number\n".replace("c.txt", at("in/c.txt"))]);
  });

  it("refuses places that do not go together, before any work", async () => {
    const refused = async (words: object) => {
      const { code, err, steps } = await doubling()({ input: at("in"), ...words });
      expect([code, steps]).toEqual([2, 0]);
      return err;
    };
    expect(await refused({ output: at("all.out") })).toMatch(/name a folder/);
    expect(await refused({ output: at("in") })).toMatch(/among the files that they are of/);
    expect(await refused({ input: at("in/a.txt"), output: at("out") })).toMatch(/must end in \.out/);
    expect(await refused({ input: at("."), output: at("out") })).toMatch(/no file that ends in \.txt/);
    expect(await refused({ output: at("in/a.txt/out") })).toMatch(/not a folder|a part of the path is a file/);
    writeFileSync(at("in/a.TXT"), "5");
    expect(await refused({ output: at("out") })).toMatch(/a\.txt would have the name of another's/);
  });

  it("leaves no empty folder where no file could be worked on", async () => {
    for (const name of ["a.txt", "b.txt", "c.txt"]) writeFileSync(join(home, "in", name), "none");
    const { code } = await doubling()({ input: at("in"), output: at("out") });
    expect([code, existsSync(at("out"))]).toEqual([2, false]);
  });
});
