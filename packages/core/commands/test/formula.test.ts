import { grad, jitSync, random, sum, type Tensor, tensor, ValueError } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { type FormulaNode, formulaFunctions, formulaValue, formulaWith, readFormula } from "../src/index.js";

const value = (text: string, values: Record<string, number> = {}) => formulaValue(readFormula(text), values);
const f64 = (x: number[]) => tensor(x, { dtype: "float64" });

describe("readFormula", () => {
  it("knows what binds how strongly, and from which side", () => {
    const known: [string, number][] = [
      ["1 + 2 * 3", 7],
      ["(1 + 2) * 3", 9],
      ["7 - 4 - 1", 2],
      ["8 / 4 / 2", 1],
      ["2 ^ 3 ^ 2", 512],
      ["2 ** 3", 8],
      ["-2^2", -4],
      ["(-2)^2", 4],
      ["2^-1", 0.5],
      ["2 * -3", -6],
      ["--2", 2],
      ["+2 - +3", -1],
      ["1e3 + .5 + 2.", 1002.5],
      ["1.5e-3*2E+3", 3],
      ["2*pi", 2 * Math.PI],
      ["ln(exp(2)) + log10(100) + log2(8)", 7],
      ["max(1, 2) - min(1, 2)", 1],
      ["sqrt(16) + abs(-3)", 7],
    ];
    for (const [text, expected] of known) expect([text, value(text)]).toEqual([text, expect.closeTo(expected, 12)]);
  });

  it("gives what JavaScript gives, for formulas at random", () => {
    const rng = random.rng(3);
    const draw = (n: number) => Math.floor(rng.uniform([]).item() * n);
    const some = (depth: number): [formula: string, script: string] => {
      if (depth === 0)
        return draw(2) === 0
          ? ["x", "x"]
          : ([String(1 + draw(9)), String(1 + draw(9))].map(() => "3") as [string, string]);
      const [a, b] = [some(depth - 1), some(draw(depth))];
      const sign = "+-*/"[draw(4)];
      if (draw(4) === 0) return [`-(${a[0]})`, `-(${a[1]})`];
      if (draw(4) === 0) return [`sin(${a[0]})`, `Math.sin(${a[1]})`];
      return draw(2) === 0
        ? [`(${a[0]}) ${sign} ${b[0]}`, `(${a[1]}) ${sign} ${b[1]}`]
        : [`${a[0]}${sign}(${b[0]})`, `${a[1]}${sign}(${b[1]})`];
    };
    for (let k = 0; k < 200; k++) {
      const [text, script] = some(4);
      const expected = Number(new Function("x", `return ${script.replaceAll("--", "- -")}`)(0.7));
      expect([text, value(text, { x: 0.7 })]).toEqual([text, expected]);
    }
  });

  it("takes names with brackets of their own, as units are written", () => {
    const formula = readFormula("a*[dose [mg]] + [temperature [°C]]^2 - [[raw]] / [odd[name]");
    expect(formula.names).toEqual(["a", "dose [mg]", "temperature [°C]", "[raw]", "odd[name"]);
    expect(() => readFormula("a * [dose] [mg]")).toThrow(/a sign is missing/);
  });

  it("takes names of columns as they are, odd ones in brackets", () => {
    const formula = readFormula("a * [dose (mg)] + température_2 * x.1 + a");
    expect(formula.names).toEqual(["a", "dose (mg)", "température_2", "x.1"]);
    expect(formulaValue(formula, { a: 2, "dose (mg)": 3, température_2: 5, "x.1": 7 })).toBe(43);
  });

  it("says where a text cannot be read, and why", () => {
    const wrong: [string, RegExp][] = [
      ["", /at its end: something is missing/],
      ["a *", /at its end: something is missing/],
      ["a b", /at character 3, before "b": a sign is missing; write \* for a product/],
      ["2x", /at character 2, before "x": a sign is missing/],
      ["a (b)", /there is no function a/],
      ["(a + b", /at its end: "\)" is missing/],
      ["a + b)", /at character 6, before "\)": "\)" stands alone/],
      ["a * / b", /at character 5, before "\/ b": a number, a name or "\(" is missing/],
      ["esp(x)", /there is no function esp; did you mean exp\?/],
      ["exp(x, y)", /exp takes 1 value, not 2/],
      ["max(x)", /max takes 2 values, not 1/],
      ["a = 2", /"=" has no meaning here/],
      ["a[", /"\[" has no meaning here/],
      ["process.exit(1)", /there is no function process.exit/],
      ["constructor(1)", /there is no function constructor/],
      ["`x`", /has no meaning here/],
      [`${"(".repeat(200)}1${")".repeat(200)}`, /nested more than 100 times/],
      ["1".repeat(5000), /has 5000 characters/],
    ];
    for (const [text, reason] of wrong) {
      expect(() => readFormula(text)).toThrow(ValueError);
      expect(() => readFormula(text)).toThrow(reason);
    }
  });

  it("is plain data, which no name of the language gets into", () => {
    const formula = readFormula("constructor + __proto__ + toString");
    expect(formula.names).toEqual(["constructor", "__proto__", "toString"]);
    expect(() => formulaValue(formula, {})).toThrow(/values has no constructor/);
    expect(JSON.parse(JSON.stringify(formula))).toEqual(formula);
  });

  it("reads the longest sum", () => {
    const terms = new Array(1300).fill("x").join(" +");
    expect(value(terms, { x: 1 })).toBe(1300);
    const slope = grad((x: Tensor) => formulaValue(readFormula(terms), { x }) as Tensor);
    expect(slope(tensor(1, { dtype: "float64" })).item()).toBe(1300);
  });
});

describe("formulaValue", () => {
  it("is the same for tensors as for numbers, eager and compiled, for every function", () => {
    const x = [0.2, 0.7];
    const all = [...formulaFunctions].map(([name, operands]) => `${name}(${operands === 1 ? "x" : "x, 0.5"})`);
    for (const text of [...all, "x^3", "2^x", "-x", "1/x - 2*x + 1"]) {
      const formula = readFormula(text);
      const f = (t: Tensor) => formulaValue(formula, { x: t }) as Tensor;
      const expected = x.map((each) => formulaValue(formula, { x: each }));
      const found = f(f64(x));
      expect(found.dtype).toBe("float64");
      for (const values of [found.data(), jitSync(f)(f64(x)).data()]) {
        expect([text, ...values]).toEqual([text, ...expected.map((v) => expect.closeTo(Number(v), 12))]);
      }
    }
    expect(all.length).toBe(18);
  });

  it("is differentiated", () => {
    const formula = readFormula("a * exp(-b * x)");
    const loss = (b: Tensor) => sum(formulaValue(formula, { a: 2, b, x: f64([1, 2]) }) as Tensor);
    expect(grad(loss)(tensor(0.5, { dtype: "float64" })).item()).toBeCloseTo(
      -2 * Math.exp(-0.5) - 4 * Math.exp(-1),
      12,
    );
  });
});

describe("formulaWith", () => {
  it("puts numbers in the place of names, and of nothing else", () => {
    const formula = readFormula("e * exp(-b*[my b]) + b^2");
    expect(formulaWith(formula, { e: 2, b: -1.5 })).toBe("2 * exp(-(-1.5)*[my b]) + (-1.5)^2");
    expect(formulaWith(formula, { "my b": 3 })).toBe("e * exp(-b*3) + b^2");
    const again: FormulaNode = readFormula(formulaWith(formula, {})).root;
    expect(again).toEqual(formula.root);
  });
});
