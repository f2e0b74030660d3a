import { linalg } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import {
  AffineMatrix,
  ConicModel,
  chordalDecompose,
  formatSdpa,
  hardMarginSvm,
  type Lmi,
  lmiToConic,
  nuclearNormMin,
  solveConic,
  symmetricEntries,
} from "../src/index.js";
import { problems } from "./problems.js";

const noise = (i: number, j: number, k: number) => Math.sin(1.3 * i + 2.1 * j + 3.7 * k + 0.9 * i * j + 0.4 * i * k);

describe("ConicModel", () => {
  it("models the Lyapunov inequality of a stable matrix", async () => {
    const A = [
      [-1, 2],
      [0, -3],
    ];
    const At = [
      [-1, 0],
      [2, -3],
    ];
    const I = [
      [1, 0],
      [0, 1],
    ];
    const model = new ConicModel();
    const P = model.variable("P", { symmetric: 2 });
    // min tr P with A^T P + P A <= -I: the solution of the Lyapunov equation, by hand [[1/2, 1/4], [1/4, 1/3]].
    model.semidefinite("inequality 1", P.between(At, I).plus(P.between(I, A)).plus(AffineMatrix.identity(2)).times(-1));
    model.semidefinite("inequality 2", P);
    model.minimise(P.trace());
    const result = await model.solve({ tolerance: 1e-9 });
    expect(result.status).toBe("converged");
    const value = result.value(P);
    for (const [k, exact] of [1 / 2, 1 / 4, 1 / 4, 1 / 3].entries()) expect(value[k]).toBeCloseTo(exact, 6);
  });

  it("takes sign, equality and inequality constraints, and constants in the objective", async () => {
    const model = new ConicModel();
    const x = model.variable("x", { rows: 3, columns: 1 }, { nonneg: true });
    model.zero("equality", x.sum().minus(AffineMatrix.constant([[1]])));
    model.nonnegative("bound", AffineMatrix.constant([[0.25]]).minus(x.entry(0, 0)));
    model.minimise(
      x
        .entry(0, 0)
        .times(-2)
        .minus(x.entry(1, 0))
        .plus(AffineMatrix.constant([[10]])),
    );
    const result = await model.solve({ tolerance: 1e-9 });
    expect(result.objective).toBeCloseTo(10 - 0.5 - 0.75, 7);
    expect(result.dualObjective).toBeCloseTo(result.objective, 7);
    const [a, b, c] = result.value(x);
    expect([a, b, c].map((v) => Math.round(v * 1e6) / 1e6 + 0)).toEqual([0.25, 0.75, 0]);
  });

  it("takes squares and second-order cones, and gives dual variables by name", async () => {
    // min (x - 3)^2 / 2 + (y - 1)^2 with ||(x, y)|| <= 3 / 2 and x + y = 2: where the line leaves the disc.
    const model = new ConicModel();
    const point = model.variable("point", { rows: 1, columns: 2 });
    const two = AffineMatrix.constant([[2]]);
    model.secondOrder("disc", AffineMatrix.block([[AffineMatrix.constant([[1.5]]), point]]));
    model.zero("line", point.sum().minus(two));
    model.minimise(AffineMatrix.zeros(1, 1), {
      of: point.minus(AffineMatrix.constant([[3, 1]])),
      weights: [1, 2],
    });
    const result = await model.solve({ tolerance: 1e-9 });
    const r = Math.sqrt(1 / 8);
    expect(result.objective).toBeCloseTo((2 - r) ** 2 / 2 + r ** 2, 6);
    expect(result.dualObjective).toBeCloseTo(result.objective, 6);
    const [x, y] = result.value(point);
    expect(x).toBeCloseTo(1 + r, 5);
    expect(y).toBeCloseTo(1 - r, 5);
    // Stationarity of the objective + line (x + y - 2) - disc^T (3 / 2, x, y).
    const [, first, second] = result.dual("disc");
    const [line] = result.dual("line");
    expect(x - 3 - first + line).toBeCloseTo(0, 6);
    expect(2 * (y - 1) - second + line).toBeCloseTo(0, 6);
    expect(() => result.dual("circle")).toThrow(/no constraint "circle"/);
    expect(() => model.zero("line", point)).toThrow(/is a constraint already/);
  });

  it("knows diagonal variables and block matrices", async () => {
    // min tr D with [[D, I], [I, I]] >= 0 is D = I.
    const model = new ConicModel();
    const D = model.variable("D", { diagonal: 3 });
    const I = AffineMatrix.identity(3);
    model.semidefinite(
      "inequality 3",
      AffineMatrix.block([
        [D, I],
        [I, I],
      ]),
    );
    model.minimise(D.trace());
    const result = await model.solve({ tolerance: 1e-8 });
    expect(result.objective).toBeCloseTo(3, 6);
    expect(result.value(D)[1]).toBe(0);
  });
});

/** t I + F with F block tridiagonal: the least t is minus the smallest eigenvalue; more variables weigh its blocks. */
function blockTridiagonal(blocks: number, size: number): { lmi: Lmi; c: number[] } {
  const order = blocks * size;
  const entries = (f: (i: number, j: number) => number) => {
    const matrix = new Float64Array(order * order);
    for (let i = 0; i < order; i++) {
      for (let j = 0; j <= i; j++) {
        if (Math.floor(i / size) - Math.floor(j / size) <= 1) matrix[i * order + j] = f(i, j);
      }
    }
    return symmetricEntries(matrix, order);
  };
  const coefficients = new Map([
    [0, entries((i, j) => (i === j ? 1 : 0))],
    [1, entries((i, j) => noise(i, j, 1))],
    [2, entries((i, j) => noise(i, j, 2))],
  ]);
  return { lmi: { order, constant: entries((i, j) => noise(i, j, 0)), coefficients }, c: [1, 0.3, -0.2] };
}

describe("chordalDecompose", () => {
  it("gives the same optimum as the whole inequality: 5 blocks of 6", async () => {
    const { lmi, c } = blockTridiagonal(5, 6);
    const whole = await solveConic(lmiToConic({ c, lmis: [lmi] }), { tolerance: 1e-7 });
    const { lmis, cliques, slacks } = chordalDecompose(lmi, 3);
    expect(cliques.map(({ length }) => length)).toEqual([12, 12, 12, 12]);
    expect(slacks).toBe(3 * 21);
    const split = await solveConic(lmiToConic({ c: [...c, ...new Array<number>(slacks).fill(0)], lmis }), {
      tolerance: 1e-7,
    });
    expect(whole.status).toBe("converged");
    expect(split.status).toBe("converged");
    expect(Math.abs(split.objective - whole.objective)).toBeLessThan(1e-5);
  });

  it("needs no slack for separate blocks and one clique for a dense matrix", async () => {
    const diagonal = { order: 3, constant: symmetricEntries([1, 0, 0, 0, 1, 0, 0, 0, 1], 3), coefficients: new Map() };
    expect(chordalDecompose(diagonal, 0)).toMatchObject({ slacks: 0, cliques: [[2], [1], [0]] });
    const dense = { ...diagonal, constant: symmetricEntries(new Array<number>(9).fill(1), 3) };
    expect(chordalDecompose(dense, 0).cliques).toEqual([[0, 1, 2]]);
  });

  it("covers a cycle, whose pattern is not chordal, by the cliques of an extension", async () => {
    const cycle = new Array<number>(36).fill(0);
    for (let i = 0; i < 6; i++) {
      cycle[i * 7] = 1;
      cycle[i * 6 + ((i + 1) % 6)] = cycle[((i + 1) % 6) * 6 + i] = noise(i, 1, 1);
    }
    const t = symmetricEntries(
      [0, 1, 2, 3, 4, 5].flatMap((i) => [0, 1, 2, 3, 4, 5].map((j) => (i === j ? 1 : 0))),
      6,
    );
    const lmi = { order: 6, constant: symmetricEntries(cycle, 6), coefficients: new Map([[0, t]]) };
    const { lmis, cliques, slacks } = chordalDecompose(lmi, 1);
    expect(cliques.every(({ length }) => length === 3)).toBe(true);
    const c = [1, ...new Array<number>(slacks).fill(0)];
    const whole = await solveConic(lmiToConic({ c: [1], lmis: [lmi] }), { tolerance: 1e-9 });
    const split = await solveConic(lmiToConic({ c, lmis }), { tolerance: 1e-9 });
    expect(split.objective).toBeCloseTo(whole.objective, 6);
  });

  it("is an option of the model", async () => {
    const solve = async (chordal: boolean) => {
      const model = new ConicModel();
      const t = model.variable("t");
      const A = AffineMatrix.constant(
        [0, 1, 2, 3].map((i) => [0, 1, 2, 3].map((j) => (i === j ? 2 : Math.abs(i - j) === 1 ? -1 : 0))),
      );
      model.semidefinite("inequality 4", t.kroneckerIdentity(4).minus(A), { chordal });
      model.minimise(t);
      return (await model.solve({ tolerance: 1e-9 })).objective;
    };
    expect(await solve(true)).toBeCloseTo(2 + 2 * Math.cos(Math.PI / 5), 7);
    expect(await solve(false)).toBeCloseTo(2 + 2 * Math.cos(Math.PI / 5), 7);
  });
});

describe("wrappers", () => {
  it("hardMarginSvm finds the widest margin of four points", async () => {
    // One of the two active points has no multiplier: interior points come near w with the root of the tolerance only.
    const { status, w, margin, multipliers } = await hardMarginSvm(
      [
        [1, 1],
        [2, 0],
        [1, 3],
        [4, 2],
      ],
      { method: "splitting", tolerance: 1e-9 },
    );
    expect(status).toBe("converged");
    expect(w[0]).toBeCloseTo(0.5, 7);
    expect(w[1]).toBeCloseTo(0.5, 7);
    expect(margin).toBeCloseTo(Math.SQRT2, 7);
    expect(Math.min(...multipliers)).toBeGreaterThanOrEqual(0);
  });

  it("hardMarginSvm says that no plane separates opposite points", async () => {
    const { status } = await hardMarginSvm([
      [1, 0],
      [-1, 0],
    ]);
    expect(status).toBe("infeasible");
  });

  it("nuclearNormMin completes a matrix of rank one", async () => {
    const unit = (k: number) => [0, 1, 2, 3].map((i) => (i === k ? 1 : 0));
    const equalities = [
      { matrix: unit(0), value: 1 },
      { matrix: unit(1), value: 1 },
      { matrix: unit(2), value: 1 },
    ];
    const inequalities = [{ matrix: unit(3), value: 0.5 }];
    const { status, W, objective, multipliers } = await nuclearNormMin(
      { rows: 2, columns: 2, equalities, inequalities },
      { tolerance: 1e-11 },
    );
    expect(status).toBe("converged");
    expect(W[3]).toBeCloseTo(1, 5);
    expect(objective).toBeCloseTo(2, 7);
    // The dual: sum b_i value_i is the objective, and sum b_i matrix_i has operator norm 1.
    const [b0, b1, b2, b3] = multipliers;
    expect(b0 + b1 + b2 + 0.5 * b3).toBeCloseTo(2, 5);
    expect(
      linalg
        .svdvals([
          [b0, b1],
          [b2, b3],
        ])
        .data()[0],
    ).toBeCloseTo(1, 5);
  });
});

describe("formatSdpa", () => {
  it("writes upper triangles without factors, and equalities as pairs", async () => {
    const text = formatSdpa({
      A: [[1], [-1], [-1], [-2 / Math.SQRT1_2], [-3]],
      b: [5, 0, 1, 0, 1],
      c: [7],
      cones: { z: 1, l: 1, s: [2] },
    });
    expect(text.trim().split("\n")).toEqual([
      "1",
      "2",
      "-3 2",
      "7",
      "0 1 1 1 -5",
      "0 1 2 2 5",
      "0 2 1 1 -1",
      "0 2 2 2 -1",
      "1 1 1 1 -1",
      "1 1 2 2 1",
      "1 1 3 3 1",
      "1 2 1 1 1",
      "1 2 1 2 2",
      "1 2 2 2 3",
    ]);
  });

  it("refuses what the format cannot hold", async () => {
    expect(() => formatSdpa(problems[1].problem)).toThrow(/no quadratic objective/);
    expect(() => formatSdpa(problems[2].problem)).toThrow(/no second-order cones/);
  });
});
