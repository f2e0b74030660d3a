import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ValueError } from "@offprint/tensor-core";
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import { type CommandInput, defineCommand, exitCodes, option } from "../src/index.js";
import { runWords } from "../src/testing.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "commands-"));
  writeFileSync(join(folder, "a.csv"), "x,y\n1,2\n");
  writeFileSync(join(folder, "b.csv"), "");
  mkdirSync(join(folder, "inner"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a command with these options and arguments, and gives what it got. */
async function given<const C extends Parameters<typeof defineCommand>[0]>(definition: C, ...words: string[]) {
  let got: CommandInput | undefined;
  const command = defineCommand({
    ...definition,
    async run(input) {
      got = input;
    },
  });
  return { ...(await runWords([command], command.name, words)), got };
}

const base = { name: "try-words", summary: "try words", run: async () => {} };
const options = {
  epochs: option.integer("passes over the data", { default: 3, least: 1 }),
  learningRate: option.number("step of the optimizer", { default: 0.1, above: 0 }),
  norm: option.choice(["l1", "l2", "linf"], "norm of the gradient", { default: "l2" }),
  hidden: option.list(option.integer("widths of layers", { least: 1 }), { default: [32], none: "none" }),
  verbose: option.flag("print all steps", { short: "v" }),
  weights: option.text("weights"),
  output: option.fileOut("the model", { short: "o", endings: [".csv"] }),
  folder: option.folderOut("many files"),
  inputs: option.list(option.fileIn("tables")),
  share: option.number("a part", { least: 0, below: 1 }),
  columns: option.list(option.text("columns"), { distinct: true }),
  pair: option.list(option.number("two numbers"), { least: 1, most: 2, default: [1] }),
  range: option.parsed("low:high", "low:high", (text) => {
    const [low, high] = text.split(":").map(Number);
    if (low! < high!) return { low: low!, high: high! };
    throw new ValueError(`"${text}" is no range; give low:high`);
  }),
};

describe("types of what run gets", () => {
  it("follow from the options, without a cast", () => {
    defineCommand({
      ...base,
      options: { ...options, table: option.fileIn("a table", { required: true }) },
      arguments: { models: option.many(option.fileIn("models"), { required: true }) },
      async run({ options: o, arguments: a }) {
        expectTypeOf(o.epochs).toEqualTypeOf<number>();
        expectTypeOf(o.norm).toEqualTypeOf<"l1" | "l2" | "linf">();
        expectTypeOf(o.hidden).toEqualTypeOf<readonly number[]>();
        expectTypeOf(o.verbose).toEqualTypeOf<boolean>();
        expectTypeOf(o.weights).toEqualTypeOf<string | undefined>();
        expectTypeOf(o.share).toEqualTypeOf<number | undefined>();
        expectTypeOf(o.table).toEqualTypeOf<string>();
        expectTypeOf(o.range).toEqualTypeOf<{ low: number; high: number } | undefined>();
        expectTypeOf(a.models).toEqualTypeOf<readonly string[]>();
        // @ts-expect-error: a misspelt option is an error of the type checker
        o.epoch;
      },
    });
  });
});

describe("words", () => {
  it("become values: defaults, equals signs, short names, flags, negative numbers, lists", async () => {
    const plain = await given({ ...base, options });
    expect(plain.got?.options).toMatchObject({
      epochs: 3,
      learningRate: 0.1,
      norm: "l2",
      hidden: [32],
      verbose: false,
    });
    expect(plain.got?.options["weights"]).toBeUndefined();
    const output = join(folder, "new.csv");
    const words = ["--epochs=7", "-v", "-o", output, "--weights", "-3", "--hidden", "64, 32", "--range", "1:2"];
    const { got, code } = await given({ ...base, options }, ...words, "--norm", "linf", "--pair", "-1,2");
    expect(code).toBe(0);
    expect(got?.options).toMatchObject({
      epochs: 7,
      verbose: true,
      output,
      weights: "-3",
      hidden: [64, 32],
      range: { low: 1, high: 2 },
      norm: "linf",
      pair: [-1, 2],
    });
    expect((await given({ ...base, options }, "--hidden", "none")).got?.options["hidden"]).toEqual([]);
    for (const [word, columns] of [
      ['"height, cm", age in years ,"a ""b"""', ["height, cm", "age in years", 'a "b"']],
      ['5",b"', ['5"', 'b"']],
      ['b,"5', ["b", '"5']],
    ] as const) {
      expect((await given({ ...base, options }, "--columns", word)).got?.options["columns"]).toEqual(columns);
    }
  });

  it("known by their place fill the arguments, and a double hyphen ends the options", async () => {
    const named = { first: option.text("first", { required: true }), rest: option.many(option.text("others")) };
    const { got } = await given({ ...base, arguments: named, options }, "a", "--epochs", "2", "b", "--", "--c");
    expect(got?.arguments).toEqual({ first: "a", rest: ["b", "--c"] });
    expect((await given({ ...base, arguments: named }, "a")).got?.arguments).toEqual({ first: "a", rest: [] });
  });

  it("take all that follow where an option takes many", async () => {
    const sides = { masses: option.many(option.integer("masses"), { least: 2 }), epochs: options.epochs };
    const { got } = await given({ ...base, options: sides }, "--masses", "1", "2", "3", "--epochs", "4");
    expect(got?.options).toEqual({ masses: [1, 2, 3], epochs: 4 });
  });

  it.each([
    [["--epoch", "3"], 'there is no option "--epoch". Did you mean --epochs?'],
    [["--norm", "l3"], '--norm cannot be "l3". Did you mean l1 or l2? Choices: l1, l2, linf.'],
    [["--epochs", "0"], '--epochs must be an integer of at least 1, got "0".'],
    [["--epochs", "1.5"], '--epochs must be an integer of at least 1, got "1.5".'],
    [["--learning-rate", "0"], '--learning-rate must be a number above 0, got "0".'],
    [["--learning-rate", "Infinity"], '--learning-rate must be a number above 0, got "Infinity".'],
    [["--learning-rate", ""], '--learning-rate must be a number above 0, got "".'],
    [["--share", "1"], '--share must be a number of at least 0 and below 1, got "1".'],
    [["--hidden", "8,x"], '--hidden must be an integer of at least 1, got "x".'],
    [["--columns", ""], '--columns must have no empty entry, got "".'],
    [["--columns", "a,b, a"], '--columns must name "a" once only, got "a,b, a".'],
    [["--columns", '"a, b",c,"a, b"'], `--columns must name "a, b" once only, got ""a, b",c,"a, b"".`],
    [["--pair", "1,2,3"], '--pair must have 1 to 2 entries, got "1,2,3".'],
    [["--range", "2:1"], '--range: "2:1" is no range; give low:high'],
    [["--weights"], "--weights needs a value: <text>."],
    [["--weights", "--verbose"], "--weights needs a value: <text>."],
    [["--verbose=yes"], '--verbose takes no value, got "yes".'],
    [["word"], 'there is one word too many: "word".'],
    [["--epochs", "1", "--epochs=2"], "--epochs is given twice; give it once."],
    [["-v", "--verbose"], "--verbose is given twice; give it once."],
    [["--output", "nowhere/x.csv"], "nowhere/x.csv: its folder nowhere does not exist; create it first."],
    [["--output", "x.txt"], "x.txt: the name must end in .csv."],
    [["--output", ""], '--output must be the path of a file or folder, got "".'],
    [["--folder", " "], '--folder must be the path of a file or folder, got " ".'],
    [["--inputs", "a.csv,,b.csv"], '--inputs must be the path of a file or folder, got "".'],
  ])("%j are refused in one line", async (words, message) => {
    expect(await given({ ...base, options }, ...words)).toMatchObject({
      code: exitCodes.input,
      out: "",
      err: `offprint: ${message}\n`,
      got: undefined,
    });
  });

  it("that would do nothing are refused where they are given, not where they have their defaults", async () => {
    const command = defineCommand({
      ...base,
      options,
      async run({ refuse }) {
        refuse(["learningRate", "verbose"], "nothing is trained");
      },
    });
    expect(await runWords([command], "try-words", ["--epochs", "2"])).toMatchObject({ code: 0, err: "" });
    expect(await runWords([command], "try-words", ["--learning-rate", "0.1"])).toMatchObject({
      code: exitCodes.input,
      err: "offprint: --learning-rate would do nothing, as nothing is trained; leave it out.\n",
    });
    expect((await runWords([command], "try-words", ["-v", "--learning-rate", "1"])).err).toBe(
      "offprint: --learning-rate, --verbose would do nothing, as nothing is trained; leave them out.\n",
    );
  });

  it("are named as they are typed in what functions say of them", async () => {
    const said = async (message: string, ...words: string[]) => {
      const run = async () => {
        throw new ValueError(message);
      };
      return (await runWords([defineCommand({ ...base, options, run })], "try-words", words)).err;
    };
    expect(await said("fitModel: learningRate is 9; lower learningRate")).toBe(
      "offprint: --learning-rate is 9; lower --learning-rate\n",
    );
    expect(await said("a.npz: loadModel: it is damaged")).toBe("offprint: a.npz: it is damaged\n");
    expect(await said("fitModel: trainNet: norm is 2, not model.learningRate")).toBe(
      "offprint: --norm is 2, not model.learningRate\n",
    );
    expect(await said("fitModel: epochs is 9; it must be less")).toBe("offprint: --epochs is 9; it must be less\n");
    // A file may have such a name.
    expect(await said("myModel: it is damaged", "--weights", "myModel")).toBe("offprint: myModel: it is damaged\n");
  });

  it("that are needed must be there", async () => {
    const needed = { table: option.fileIn("samples", { required: true }) };
    expect((await given({ ...base, options: needed })).err).toBe("offprint: --table is missing: samples.\n");
    expect((await given({ ...base, arguments: needed })).err).toBe("offprint: <table> is missing: samples.\n");
    const open = { table: option.fileIn("samples, targets, ...", { required: true }) };
    expect((await given({ ...base, options: open })).err).toBe("offprint: --table is missing: samples, targets, ...\n");
  });
});

describe("files and folders", () => {
  it("to read must be there and of the right kind, or a word that stands for something", async () => {
    const sources = {
      table: option.fileIn("a table", { endings: [".csv"] }),
      images: option.fileIn("images", { kind: "either", words: ["digits"] }),
      cache: option.fileIn("a folder", { kind: "folder" }),
    };
    const said = async (...words: string[]) => (await given({ ...base, options: sources }, ...words)).err;
    expect(await said("--table", join(folder, "a.csv"), "--images", "digits", "--cache", folder)).toBe("");
    expect(await said("--table", join(folder, "inner"))).toMatch(/inner: it is a folder, a file is needed\./);
    expect(await said("--table", join(folder, "c.csv"))).toMatch(/c\.csv: there is no such file\./);
    expect(await said("--images", "digit")).toMatch(/digit: there is no such file or folder\. Did you mean digits\?/);
    expect(await said("--cache", join(folder, "a.csv"))).toMatch(/a\.csv: it is a file, a folder is needed\./);
    expect(await said("--table", join(folder, "a.csv", "b"))).toMatch(/a part of the path is a file/);
  });

  it("to write are looked at before anything is computed, defaults too", async () => {
    const outputs = {
      output: option.fileOut("out", { default: join(folder, "inner") }),
      to: option.folderOut("folder"),
    };
    expect((await given({ ...base, options: outputs })).err).toMatch(/inner: it is a folder, a file is needed\./);
    const made = join(folder, "made", "deep");
    const { code } = await given({ ...base, options: outputs }, "--output", join(folder, "b.csv"), "--to", made);
    expect(code).toBe(0);
    expect((await given({ ...base, options: outputs }, "--output", "/proc/x")).err).toMatch(
      /\/proc\/x: no file can be written there/,
    );
    expect(
      (await given({ ...base, options: outputs }, "--output", join(folder, "b.csv"), "--to", join(folder, "a.csv")))
        .err,
    ).toMatch(/a\.csv: it exists and is not a folder\./);
  });
});

describe("help", () => {
  it("shows usage, arguments, options with defaults and choices, and fits the terminal", async () => {
    const command = defineCommand({
      ...base,
      arguments: { model: option.fileIn("a model", { required: true }), more: option.many(option.fileIn("others")) },
      options: { ...options, table: option.fileIn("samples", { required: true }) },
      details: "What else there is to say.",
      run: async () => {},
    });
    const { code, out, err } = await runWords([command], "try-words", ["x", "--help"], { width: 60 });
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(
      /^Usage: offprint try-words <model> \[more\.\.\.\] --table <file>\n\[options\]\n\nTry words\.\n/,
    );
    expect(out).toContain("  --epochs <integer>");
    expect(out.replace(/\s+/g, " ")).toContain("norm of the gradient: l1, l2, linf (default: l2)");
    expect(out).toContain("-o, --output <file>");
    expect(out.replace(/\s+/g, " ")).toContain("widths of layers (default: 32)");
    expect(out).toContain("What else there is to say.");
    expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(60);
  });
});

describe("an output never takes the place", () => {
  const paths = {
    ...base,
    options: {
      table: option.fileIn("table", { required: true, kind: "either" }),
      others: option.list(option.fileIn("more tables"), { default: [] }),
      output: option.fileOut("result", { required: true, kind: "either", endings: [".csv"] }),
      plot: option.fileOut("picture"),
    },
  };
  const refused = async (...words: string[]) => {
    const { code, err, got } = await given(paths, ...words);
    expect([code, got]).toEqual([exitCodes.input, undefined]);
    return err;
  };

  it("of an input, by whichever name", async () => {
    const table = join(folder, "a.csv");
    const link = join(folder, "link.csv");
    symlinkSync(table, link);
    for (const output of [table, join(folder, "inner", "..", "a.csv"), link]) {
      expect(await refused("--table", table, "--output", output)).toContain(
        `--output would take the place of --table, ${table}; name another for it.`,
      );
    }
    expect(
      await refused("--table", table, "--others", join(folder, "b.csv"), "--output", join(folder, "b.csv")),
    ).toContain("--output would take the place of --others");
  });

  it("of another output, and else may take that of any file", async () => {
    const [table, fresh] = [join(folder, "a.csv"), join(folder, "fresh.csv")];
    expect(await refused("--table", table, "--output", fresh, "--plot", fresh)).toContain(
      `--plot would take the place of --output, ${fresh}`,
    );
    expect((await given(paths, "--table", table, "--output", join(folder, "b.csv"))).code).toBe(exitCodes.success);
    const nowhere = ["--output", join(folder, "b.csv"), "--plot", "/dev/null"];
    expect((await given(paths, "--table", table, ...nowhere)).code).toBe(exitCodes.success);
  });
});
