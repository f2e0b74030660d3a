import { OffprintError, ShapeError, sparse, UnsupportedError, ValueError } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import {
  ConicModel,
  type ConicProblem,
  chordalDecompose,
  fullToSvec,
  lmiToConic,
  nuclearNormMin,
  projectCone,
  smat,
  solveConic,
  svec,
} from "../src/index.js";

const good = {
  A: [
    [1, 0],
    [0, 1],
  ],
  b: [1, 1],
  c: [1, 1],
  cones: { l: 2 },
};

describe("problems that are none are refused", () => {
  it.each<[string, Partial<ConicProblem>, RegExp]>([
    ["b too long", { b: [1, 2, 3] }, /2 rows and b 3/],
    ["c too short", { c: [1] }, /2 columns and c 1/],
    ["cones of another size", { cones: { l: 1 } }, /the cones have 1 rows and A has 2/],
    ["a negative cone", { cones: { l: -2 } }, /cones\.l must be an integer/],
    ["a cone of another name", { cones: { l: 2, soc: [2] } as never }, /cones: there is no option "soc"/],
    ["a size in the place of a list", { cones: { q: 2 } as never }, /cones\.q is 2; give a list/],
    ["an empty second-order cone", { cones: { l: 2, q: [0] } }, /cones\.q\[0\]/],
    ["a fractional order", { cones: { s: [1.5] } }, /cones\.s\[0\]/],
    [
      "NaN in A",
      {
        A: [
          [1, Number.NaN],
          [0, 1],
        ],
      },
      /A holds NaN/,
    ],
    ["infinity in b", { b: [1, Infinity] }, /b holds Infinity/],
    ["NaN in c", { c: [1, Number.NaN] }, /c holds NaN/],
    ["P of another size", { P: [[1]] }, /P must be \[2, 2\]/],
    [
      "P not symmetric",
      {
        P: [
          [1, 2],
          [0, 1],
        ],
      },
      /symmetric/,
    ],
    [
      "P indefinite",
      {
        P: [
          [1, 2],
          [2, 1],
        ],
      },
      /positive semidefinite/,
    ],
    [
      "P with a zero diagonal and an entry beside it",
      {
        P: [
          [0, 1],
          [1, 0],
        ],
      },
      /positive semidefinite/,
    ],
  ])("%s", async (_, change, message) => {
    const run = solveConic({ ...good, ...change });
    await expect(run).rejects.toThrow(message);
    await expect(run).rejects.toThrow(OffprintError);
  });

  it("a problem that lacks a part, or is none", async () => {
    await expect(solveConic(null as never)).rejects.toThrow(/the problem has no A; give \{ A, b, c, cones \}/);
    await expect(solveConic({ ...good, cones: undefined } as never)).rejects.toThrow(/the problem has no cones/);
  });

  it("parts of a problem, of a start, of an inequality or of a norm by another name", async () => {
    await expect(solveConic({ ...good, p: [[1]] } as never)).rejects.toThrow(
      /there is no option "p"; did you mean "P"/,
    );
    await expect(solveConic({ ...good, Q: [[1]] } as never)).rejects.toThrow(/there is no option "Q"/);
    const initial = { x: [1, 1], y: [1, 1], s: [1, 1], tau: 1 };
    await expect(solveConic(good, { initial } as never)).rejects.toThrow(/initial: there is no option "tau"/);
    expect(() => lmiToConic({ c: [1], lmis: [], lmi: [] } as never)).toThrow(/there is no option "lmi"/);
    expect(() => lmiToConic({ lmis: [] } as never)).toThrow(/lmiToConic: there is no c/);
    const row = { coeffs: new Map([[0, 1]]), value: 1 };
    expect(() => lmiToConic({ c: [1], lmis: [], equalities: [row] } as never)).toThrow(/"coeffs"/);
    const pairs = { coefficients: [[0, 1]], value: 1 };
    expect(() => lmiToConic({ c: [1], lmis: [], equalities: [pairs] } as never)).toThrow(/give a Map by variable/);
    const square = { rows: 2, columns: 2 };
    await expect(nuclearNormMin({ ...square, constraints: [] } as never)).rejects.toThrow(/"constraints"/);
    const constraint = { matrix: [1, 0, 0, 0], val: 1 };
    await expect(nuclearNormMin({ ...square, equalities: [constraint] } as never)).rejects.toThrow(/"val"/);
    await expect(nuclearNormMin({ ...square, rows: 0 })).rejects.toThrow(/rows is 0/);
  });

  it("inequalities that are none", () => {
    const unit = (row: number, column: number, value = 1) => ({ rows: [row], columns: [column], values: [value] });
    const lmi = { order: 3, constant: unit(0, 0), coefficients: new Map([[0, unit(1, 0)]]) };
    for (const [change, message] of [
      [{ order: 0 }, /order is 0/],
      [{ order: undefined }, /there is no order/],
      [{ constant: unit(0, 2) }, /stands at \(0, 2\); give its lower triangle/],
      [{ constant: unit(7, 2) }, /stands at \(7, 2\)/],
      [{ constant: unit(0.5, 0) }, /stands at \(0.5, 0\)/],
      [{ constant: unit(1, 0, Number.NaN) }, /has NaN at \(1, 0\)/],
      [{ constant: { ...unit(1, 0), values: [1, 2] } }, /1 rows, 1 columns and 2 values/],
      [{ coefficients: [[0, unit(1, 0)]] }, /give a Map by variable/],
      [{ constants: unit(0, 0) }, /did you mean "constant"/],
    ] as const) {
      const changed = { ...lmi, ...change } as never;
      for (const use of [() => chordalDecompose(changed, 1), () => lmiToConic({ c: [1], lmis: [changed] })]) {
        expect(use).toThrow(message);
        expect(use).toThrow(OffprintError);
      }
    }
    expect(() => chordalDecompose(lmi, 0)).toThrow(/firstSlack is 0, and the LMI uses variable 0/);
    expect(() => chordalDecompose(lmi, Number.NaN)).toThrow(/firstSlack is NaN/);
  });

  it("an operator without its scaled normal matrix by the interior-point method", async () => {
    const A = { rows: 2, columns: 2, apply: () => {}, applyTransposed: () => {}, normal: () => sparse.identity(2) };
    await expect(solveConic({ ...good, A }, { method: "interior-point" })).rejects.toThrow(UnsupportedError);
  });

  it("a starting point of another size, or not finite", async () => {
    const initial = { x: [1, 1], y: [1, 1], s: [1, 1] };
    await expect(solveConic(good, { initial: { ...initial, x: [1] } })).rejects.toThrow(/initial\.x/);
    await expect(solveConic(good, { initial: { ...initial, s: [1, Number.NaN] } })).rejects.toThrow(/initial\.s\[1\]/);
  });

  it("vectors of another length", () => {
    expect(() => svec([1, 2], 2)).toThrow(ShapeError);
    expect(() => smat([1, 2], 2)).toThrow(ShapeError);
    for (const full of [
      [1, 2, 3],
      [1, 2, 3, 4, 5],
    ])
      expect(() => fullToSvec(full, 2)).toThrow(ShapeError);
    for (const n of [-2, 2.5]) {
      for (const use of [svec, smat, fullToSvec]) expect(() => use([1, 2, 3, 4], n)).toThrow(/n is -2|n is 2\.5/);
    }
    expect(() => projectCone([1], { l: 2 })).toThrow(ShapeError);
    expect(() => projectCone([Number.NaN], { l: 1 })).toThrow(ValueError);
  });

  it("names used twice, and inequalities that are not symmetric", () => {
    const model = new ConicModel();
    const X = model.variable("X", { rows: 2, columns: 2 });
    expect(() => model.variable("X")).toThrow(/there already/);
    expect(() => model.semidefinite("inequality 1", X)).toThrow(/not symmetric/);
    expect(() => model.minimise(X)).toThrow(/must be \[1, 1\]/);
  });

  it("variables, constraints and objectives of a model that are none", () => {
    const model = new ConicModel();
    expect(() => model.variable("x", 3 as never)).toThrow(/variable: shape is 3/);
    expect(() => model.variable("x", { symmetric: 0 })).toThrow(/positive integer extents/);
    expect(() => model.variable("x", { symetric: 2 } as never)).toThrow(/did you mean "symmetric"/);
    expect(() => model.variable("x", { rows: 2, columns: 1 }, { nonnegative: true } as never)).toThrow(/"nonneg"/);
    model.variable("x", { rows: 2, columns: 1 }); // no attempt took the name
    for (const kind of ["zero", "nonnegative", "secondOrder", "semidefinite"] as const) {
      expect(() => model[kind]("c", 3 as never)).toThrow(new RegExp(`${kind}: give an AffineMatrix`));
    }
    expect(() => model.minimise(undefined as never)).toThrow(/minimise: give an AffineMatrix/);
  });
});
