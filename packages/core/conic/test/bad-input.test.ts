import { describe, expect, it } from "vitest";
import { ConicInputError, type ConicProblem, LmiBuilder, projectCone, smat, solveConic, svec } from "../src/index.js";

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
  ])("%s", (_, change, message) => {
    const run = () => solveConic({ ...good, ...change });
    expect(run).toThrow(ConicInputError);
    expect(run).toThrow(message);
  });

  it.each([{ eps: 0 }, { eps: Number.NaN }, { alpha: 2 }, { scale: -1 }, { maxIter: 0 }, { maxIter: 1.5 }])(
    "option %o",
    (options) => {
      expect(() => solveConic(good, options)).toThrow(ConicInputError);
    },
  );

  it("a warm start of another size", () => {
    expect(() => solveConic(good, { warmStart: { x: [1], y: [1, 1], s: [1, 1] } })).toThrow(/warmStart\.x/);
  });

  it("vectors of another length", () => {
    expect(() => svec([1, 2], 2)).toThrow(ConicInputError);
    expect(() => smat([1, 2], 2)).toThrow(ConicInputError);
    expect(() => projectCone([1], { l: 2 })).toThrow(ConicInputError);
    expect(() => projectCone([Number.NaN], { l: 1 })).toThrow(ConicInputError);
  });

  it("names used twice, and inequalities that are not symmetric", () => {
    const builder = new LmiBuilder();
    const X = builder.variable("X", { rows: 2, columns: 2 });
    expect(() => builder.variable("X")).toThrow(/there already/);
    expect(() => builder.addLmi(X)).toThrow(/not symmetric/);
    expect(() => builder.minimise(X)).toThrow(/must be \[1, 1\]/);
  });
});
