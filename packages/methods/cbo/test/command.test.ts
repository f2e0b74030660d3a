import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runInTwo, runWords } from "@offprint/commands/testing";
import { readCsv } from "@offprint/data";
import { random } from "@offprint/tensor-core";
import { readFixture, temporaryFolder } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { commands } from "../cli/index.js";

interface Reference {
  readonly formula: string;
  readonly x: number[];
  readonly y: number[];
  readonly values: Record<string, number>;
  readonly errors: Record<string, number>;
  readonly squares: number;
  readonly r2: number;
}

const references = readFixture<Record<string, Reference>>(import.meta.url, "curves.json");
const folder = temporaryFolder("fit-curve");

/** A table of columns as a file. */
function table(name: string, columns: Record<string, readonly (number | string)[]>): string {
  const path = join(folder, `${name}.csv`);
  const [first] = Object.values(columns);
  const lines = first.map((_, i) =>
    Object.values(columns)
      .map((column) => column[i])
      .join(","),
  );
  writeFileSync(path, [Object.keys(columns).join(","), ...lines].join("\n"));
  return path;
}

type Given = Record<string, number | string>;

async function fitted(path: string, formula: string, given: Given = {}) {
  const output = join(folder, "fit.json");
  const { code, out, err } = await runWords(commands, "fit-curve", { table: path, formula, output, ...given });
  expect([code, err.includes("unexpected")]).toEqual([0, false]);
  return { ...JSON.parse(readFileSync(output, "utf8")), out, err };
}

async function refusal(path: string, formula: string, given: Given = {}): Promise<string> {
  const { code, err } = await runWords(commands, "fit-curve", { table: path, formula, ...given });
  expect(code).toBe(2);
  return err;
}

const grid = (low: number, high: number, n: number) =>
  Array.from({ length: n }, (_, i) => low + ((high - low) * i) / (n - 1));
const decay = (x: number) => 2.5 * Math.exp(-0.7 * x) + 0.5;
const normals: number[] = Array.from(random.rng(4).normal([40], { dtype: "float64" }).data());
const plain = table("plain", { x: grid(0, 10, 40), y: grid(0, 10, 40).map((x, i) => decay(x) + 0.05 * normals[i]) });

describe("fit-curve", () => {
  it.each(Object.keys(references))("finds what SciPy finds from the true parameters: %s", async (name) => {
    const { formula, x, y, values, errors, squares, r2 } = references[name];
    // A sine of the other sign is one of another phase.
    const given: Given = name === "damped sine" ? { bounds: "A:0.." } : {};
    const found = await fitted(table("reference", { x, y }), formula, given);
    expect(found.squares / squares).toBeCloseTo(1, 6);
    expect(found.r2).toBeCloseTo(r2, 6);
    // The two peaks may stand in either order.
    const swapped = "m1" in values && found.parameters.m1.value > found.parameters.m2.value;
    const other = (each: string) => (swapped ? each.replace(/\d/, (digit) => String(3 - Number(digit))) : each);
    for (const [each, value] of Object.entries(values)) {
      const own = found.parameters[other(each)];
      expect([each, Math.abs(own.value - value) / errors[each]]).toEqual([each, expect.closeTo(0, 2)]);
      expect([each, own.standardError / errors[each]]).toEqual([each, expect.closeTo(1, 2)]);
    }
  });

  it("finds the same whatever the units are", async () => {
    const { formula, x, y } = references["damped sine"];
    const unit = async (ofX: number, ofY: number) => {
      const columns = { x: x.map((v) => v * ofX), y: y.map((v) => v * ofY) };
      const { A, d, w, p } = (await fitted(table("units", columns), formula)).parameters;
      return [A.value / ofY, d.value * ofX, w.value * ofX, p.value, A.standardError / ofY, w.standardError * ofX];
    };
    const usual = await unit(1, 1);
    for (const units of [await unit(1e-9, 1e9), await unit(1e9, 1e-9)]) {
      expect(units).toEqual(usual.map((value) => expect.closeTo(value, 6)));
    }
  });

  it("goes on after an interruption to the same fit", async () => {
    const words = { table: plain, formula: "a * exp(-b * x) + c" };
    const files = { output: join(folder, "resumed.json"), state: join(folder, "state.json"), interruptAt: 0.02 };
    const [whole, parts] = await runInTwo(commands, "fit-curve", words, files);
    expect(parts).toEqual(whole);
  });

  it("writes the curve beside the table, draws it, and says it with its numbers", async () => {
    const [predictions, plot] = [join(folder, "curve.csv"), join(folder, "curve.svg")];
    const { parameters, fitted: text, out } = await fitted(plain, "a * exp(-b * x) + c", { predictions, plot });
    expect(out).toMatch(/40 rows; y of x; to be fitted: a, b, c/);
    expect(out).toMatch(/a +2\.\d+ ± 0\.0\d+\n/);
    const { a, b, c } = parameters;
    expect(out).toContain(text);
    expect(text).toBe(`${a.value} * exp(-${b.value} * x) + ${c.value}`);
    const rows = readCsv(readFileSync(predictions));
    expect(rows.names).toEqual(["x", "y", "y fitted", "residual"]);
    const [x, y, curve, residual] = rows.columns.map(({ values }) => values as Float64Array);
    expect(curve[7]).toBeCloseTo(a.value * Math.exp(-b.value * x[7]) + c.value, 9);
    expect(residual[7]).toBeCloseTo(y[7] - curve[7], 9);
    expect(readFileSync(plot, "utf8")).toMatch(/^<svg/);
  });

  it("needs no search where the formula is linear in what is fitted, of several columns", async () => {
    const u = grid(-1, 1, 30);
    const v = u.map((each, i) => Math.cos(7 * each) + 0.1 * i);
    const path = table("linear", { "u (m)": u, v, y: u.map((each, i) => 2 * each - 3 * v[i] ** 2 + 1) });
    const plot = join(folder, "linear.svg");
    const { parameters, search, out } = await fitted(path, "a * [u (m)] + b * v^2 + c", { plot });
    expect(search).toBeUndefined();
    expect(out).not.toContain("evaluations");
    const found = ["a", "b", "c"].map((name) => parameters[name].value);
    expect(found).toEqual([2, -3, 1].map((value) => expect.closeTo(value, 9)));
  });

  it("keeps to bounds, and says which are reached", async () => {
    const formula = "a * exp(-b * x) + c";
    const { parameters, out, squares } = await fitted(plain, formula, { bounds: "b:0..0.6,c:0.." });
    expect(parameters.b).toEqual({ value: 0.6, standardError: null, atBound: true });
    expect(out).toMatch(/b +0\.6 at its bound/);
    // With b held there, a and c are a linear problem.
    const held = await fitted(plain, "a * exp(-0.6 * x) + c");
    expect(squares).toBeCloseTo(held.squares, 9);
    expect(parameters.a.standardError).toBeCloseTo(held.parameters.a.standardError, 9);
    const inner = await fitted(plain, formula, { bounds: "b:0.01..100,a:..10" });
    const free = await fitted(plain, formula);
    expect(inner.parameters.b.value).toBeCloseTo(free.parameters.b.value, 6);
    expect(inner.parameters.b.standardError).toBeCloseTo(free.parameters.b.standardError, 6);
  });

  it("says which parameters the rows do not determine", async () => {
    const { parameters, err, undetermined } = await fitted(plain, "a * d * exp(-b * x) + c");
    expect(undetermined).toEqual([["a", "d"]]);
    expect(err).toContain("The rows do not determine a, d each");
    expect([parameters.a.standardError, parameters.d.standardError]).toEqual([null, null]);
    expect(parameters.a.value * parameters.d.value).toBeCloseTo(2.5, 0);
    // Others are as they would be without.
    const { parameters: alone } = await fitted(plain, "a * exp(-b * x) + c");
    expect(parameters.b.value).toBeCloseTo(alone.b.value, 6);
    expect(parameters.c.standardError / alone.c.standardError).toBeCloseTo(1, 1);
    const twice = await fitted(table("twice", { x: [1, 2, 3, 4], z: [2, 4, 6, 8], y: [3, 5, 7, 9] }), "a*x + b*z + c");
    expect(twice.undetermined).toEqual([["a", "b"]]);
    expect(twice.parameters.c.value).toBeCloseTo(1, 6);
  });

  it("has no R2 for a constant target, and errors only where rows are left over", async () => {
    const constant = table("constant", { x: [1, 2, 3, 4, 5], y: [7, 7, 7, 7, 7] });
    const { r2, out, parameters } = await fitted(constant, "a * x + c");
    expect([r2, parameters.c.value]).toEqual([null, expect.closeTo(7, 9)]);
    expect(out).toContain("none: the target is constant");
    expect((await fitted(constant, "a * exp(-b * x) + c")).undetermined).toEqual([["b"]]);
    const few = await fitted(table("few", { x: [1, 2], y: [3, 5] }), "a * x + c");
    expect(few.parameters.a).toEqual({ value: expect.closeTo(2, 9), standardError: null });
    expect(few.out).toContain("unknown: no rows are left over");
    expect(await refusal(table("few", { x: [1], y: [3] }), "a * x + c")).toContain(
      "1 rows do not determine 2 parameters",
    );
  });

  it("weighs rows by their deviations", async () => {
    const [x, y] = [
      [1, 2, 3, 4],
      [1, 2, 3, 40],
    ];
    const path = table("weighted", { x, s: [1, 1, 1, 1e6], y });
    expect((await fitted(path, "a * x", { deviations: "s" })).parameters.a.value).toBeCloseTo(1, 6);
    expect((await fitted(path, "a * x")).parameters.a.value).toBeGreaterThan(4);
    expect(await refusal(path, "a * x", { deviations: "t" })).toContain("there is no column t");
    expect(await refusal(path, "sqrt(-1 - a^2) * x")).toContain(
      "--formula: it has no value in some row whatever a may be",
    );
    const zero = table("zero", { x, s: [1, 1, 0, 1], y });
    expect(await refusal(zero, "a * x", { deviations: "s" })).toContain("column s is not above 0 in row 3");
  });

  it("says what is wrong", async () => {
    const gap = table("gap", { x: [1, 2, "", 4], note: ["a", "b", "c", "d"], y: [1, 2, 3, 4] });
    expect(await refusal(gap, "a * x")).toContain("column x has no value in row 3");
    expect(await refusal(gap, "a * note")).toContain("column note holds texts");
    expect(await refusal(plain, "a * exp(-b * X)")).toMatch(
      /there is no column of the table in it; the table has x, y/,
    );
    expect(await refusal(plain, "a * exp(-b * x")).toMatch(/--formula: the formula .* cannot be read at its end/);
    expect(await refusal(plain, "a * y")).toContain("y is the target");
    expect(await refusal(plain, "x + 1")).toContain("there is nothing to be fitted");
    expect(await refusal(plain, "a * log(x)")).toMatch(/is -Infinity in row 1, where x = 0/);
    expect(await refusal(plain, "a / (x - x)")).toMatch(/--formula: it has no value in some row whatever a may be/);
    for (const name of ["constructor", "__proto__"]) {
      expect(await refusal(plain, `${name} * x`)).toContain(`--formula: ${name} cannot name a parameter`);
    }
    const sized = (name: string, size: number) =>
      table(name, {
        x: grid(0, 10, 5).map((x) => x * (name === "x" ? size : 1)),
        y: grid(1, 2, 5).map((y) => y * (name === "y" ? size : 1)),
      });
    expect(await refusal(sized("y", 1e300), "a * x + b")).toMatch(
      /column y have the size 2e\+300; give them in a unit/,
    );
    expect(await refusal(sized("x", 1e-200), "a * exp(-b * x)")).toMatch(/column x have the size 1e-199; give them/);
    expect(await refusal(plain, "a * x", { bounds: "b:0..1" })).toContain("b is no parameter of the formula; it has a");
    expect(await refusal(plain, "a * x", { bounds: "a:1..0" })).toContain("must be less than the upper");
    expect(await refusal(plain, "a * x", { bounds: "a=1" })).toContain("gives no bounds");
    expect(await refusal(plain, "a * x", { bounds: "a:x..1" })).toContain("no number");
    expect(await refusal(plain, "a * x", { bounds: "a:0..1,a:0..2" })).toContain("a is bounded twice");
  });
});
