import { conjugateGradientsSync, incompleteCholesky } from "@offprint/solvers";
import { runConformance } from "@offprint/solvers/conformance";
import { add, grad, linalg, mul, random, sparse, sum, type Tensor, tensor } from "@offprint/tensor-core";
import { expectClose, expectGradient, f64, scattered } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  dcdm,
  deflatedConjugateGradients,
  directionLoss,
  directionNetwork,
  directionsBy,
  directionsFrom,
  divergence,
  macGrid,
  poissonMatrix,
  preconditionerBy,
  ritzPairs,
  ritzSamples,
  shippedNetwork,
  stillVelocities,
  stoppedAtSolids,
  tensorProduct,
  unitRows,
  withoutGradient,
} from "../src/index.js";

const grid = [12, 12];
const a = poissonMatrix(macGrid(grid));
const n = 144;
const b = random.rng("b").normal([n], { dtype: "float64" }).data() as Float64Array;
const dense = tensor(sparse.toDense(a), { shape: [n, n] });
const identity = (r: Float64Array) => r.slice();
const wild = (r: Float64Array) => r.map((v, i) => Math.tanh(30 * v) + 0.1 * Math.cos(5 * i) * Math.abs(v) + v);
const times = (x: ArrayLike<number>) => sparse.multiplyVector(a, Float64Array.from(x));
const dot = (x: ArrayLike<number>, y: ArrayLike<number>) => Array.from(x).reduce((s, v, i) => s + v * y[i], 0);

describe("the iteration", () => {
  it("is conjugate gradients where the direction is the residual", async () => {
    const { history } = await dcdm(a, b, identity, { maxIterations: 30, tolerance: 1e-13 });
    const cg = conjugateGradientsSync((x, out) => out.set(times(x)), b, { maxIterations: 30, tolerance: 1e-13 });
    history.forEach((record, k) => {
      expect(Math.abs(record.residualNorm / cg.history[k].residualNorm - 1)).toBeLessThan(1e-8);
    });
  });

  it("is preconditioned conjugate gradients where the direction is M r, with one direction too", async () => {
    const { apply } = incompleteCholesky(a);
    const by = (r: Float64Array) => {
      const z = new Float64Array(n);
      apply(r, z);
      return z;
    };
    for (const k of [1, 2]) {
      const { history } = await dcdm(a, b, by, { k, maxIterations: 12, tolerance: 1e-13 });
      const cg = conjugateGradientsSync(a, b, { preconditioner: apply, maxIterations: 12, tolerance: 1e-13 });
      history.forEach((record, i) => {
        expect(Math.abs(record.residualNorm / cg.history[i].residualNorm - 1)).toBeLessThan(1e-7);
      });
    }
  });

  it("takes one step where the direction is the solution", async () => {
    const solve = (r: Float64Array) => linalg.solve(dense, tensor(r)).data() as Float64Array;
    const { iterations, residualNorm } = await dcdm(a, b, solve, { tolerance: 1e-12 });
    expect(iterations).toBe(1);
    expect(residualNorm).toBeLessThan(1e-10);
  });

  it("does not see the scale of directions", async () => {
    const [one, other] = [
      await dcdm(a, b, wild, { maxIterations: 15 }),
      await dcdm(a, b, (r) => wild(r).map((v) => -3.7 * v), { maxIterations: 15 }),
    ];
    expectClose(Array.from(one.x), Array.from(other.x), 1e-11);
  });

  it("sees no unit of the right-hand side, of A or of directions, however large or small", async () => {
    const options = { maxIterations: 15, tolerance: 1e-9, k: 3 };
    const plain = await dcdm(a, b, wild, options);
    for (const unit of [2 ** 980, 2 ** 700, 2 ** -700, 2 ** -980]) {
      const scaled = b.map((v) => v * unit);
      const found = await dcdm(a, scaled, wild, options);
      expect([found.status, found.x]).toEqual([plain.status, plain.x.map((v) => v * unit)]);
      expect(found.residualNorm / unit).toBeCloseTo(plain.residualNorm, 12);
      const by = await dcdm(a, b, (r) => wild(r).map((v) => v * unit), options);
      expect(by.x).toEqual(plain.x);
      const other = await dcdm(sparse.scale(a, unit), b, wild, options);
      expect(other.x).toEqual(plain.x.map((v) => v / unit));
      const deflated = await deflatedConjugateGradients(a, scaled, { tolerance: 1e-9 });
      const same = await deflatedConjugateGradients(a, b, { tolerance: 1e-9 });
      expect([deflated.status, deflated.x]).toEqual([same.status, same.x.map((v) => v * unit)]);
      expect(deflated.residualNorm).toBe(same.residualNorm * unit);
      const deflatedOther = await deflatedConjugateGradients(sparse.scale(a, unit), b, { tolerance: 1e-9 });
      expect(deflatedOther.x).toEqual(same.x.map((v) => v / unit));
    }
  });

  it("lowers the energy of the error by (q . r)^2 / q . A q, whatever the directions are", async () => {
    const solution = linalg.solve(dense, tensor(b)).data();
    const energy = (x: Float64Array) => {
      const e = x.map((v, i) => v - solution[i]);
      return dot(e, times(e));
    };
    const { directions } = await dcdm(a, b, wild, { maxIterations: 12, tolerance: 1e-13, keepDirections: true });
    let before = energy(new Float64Array(n));
    let x = new Float64Array(n);
    for (const { q, curvature } of directions ?? []) {
      const along = dot(
        q,
        times(x).map((v, i) => b[i] - v),
      );
      x = x.map((v, i) => v + (along / curvature) * q[i]);
      expect(Math.abs(before - energy(x) - along ** 2 / curvature)).toBeLessThan(1e-9 * before);
      expect(energy(x)).toBeLessThan(before);
      before = energy(x);
    }
  });

  it("has directions that are A-orthogonal to the k before, and ends in n steps with all of them", async () => {
    const { directions = [] } = await dcdm(a, b, wild, {
      k: 3,
      maxIterations: 12,
      tolerance: 1e-13,
      keepDirections: true,
    });
    for (let i = 0; i < directions.length; i++) {
      for (let j = Math.max(0, i - 3); j < i; j++) {
        const scale = Math.sqrt(directions[i].curvature * directions[j].curvature);
        expect(Math.abs(dot(directions[i].q, directions[j].aq))).toBeLessThan(1e-8 * scale);
      }
    }
    const small = sparse.fromDense(
      Array.from({ length: 15 }, (_, i) =>
        Array.from({ length: 15 }, (__, j) => (i === j ? 2 + i / 5 : 0.3 / (1 + Math.abs(i - j)))),
      ),
    ); // prettier-ignore
    const random15 = random.rng("15").normal([15], { dtype: "float64" });
    const solved = await dcdm(small, random15, (r) => r.map((v, i) => Math.tanh(9 * v) + v * Math.cos(i)), {
      k: 15,
      tolerance: 1e-11,
    });
    expect(solved.iterations).toBeLessThanOrEqual(15);
    expect(solved.residualNorm).toBeLessThan(1e-10);
  });

  it("says that it stagnates, and gets on by residuals where it may", async () => {
    const away = (r: Float64Array) => {
      const z = r.slice();
      [z[0], z[1]] = [-r[1], r[0]];
      return z.fill(0, 2);
    };
    const first = await dcdm(a, b, (r) => (Math.abs(r[0]) + Math.abs(r[1]) > 0 ? away(r) : r));
    expect(first.status).toBe("stagnated");
    const sines = (r: Float64Array) => r.map((v, i) => (i % 2 === 0 ? v : 0)); // half of the cells never move
    const stuck = await dcdm(a, b, sines, { maxIterations: 200 });
    expect(stuck.status).not.toBe("converged");
    const helped = await dcdm(a, b, sines, { maxIterations: 200, onStagnation: "residual" });
    expect(helped.status).toBe("converged");
    expect(helped.history.some((record) => record.byResidual)).toBe(true);
  });

  it("leaves rows of zeros alone", async () => {
    const box = macGrid([8, 8], ([i, j]) => i > 2 && i < 5 && j > 2 && j < 6);
    const right = random
      .rng(3)
      .normal([64], { dtype: "float64" })
      .data()
      .map((v: number, i: number) => (box.solid[i] ? 0 : v)) as Float64Array; // prettier-ignore
    const { x, status } = await dcdm(poissonMatrix(box), right, (r) => r.map((v) => v + 1), {
      onStagnation: "residual",
    });
    expect(status).toBe("converged");
    box.solid.forEach((s, i) => {
      if (s) expect(x[i]).toBe(0);
    });
    await expect(dcdm(poissonMatrix(box), new Float64Array(64).fill(1), identity)).rejects.toThrow(
      /row \d+ of A is zero/,
    );
  });

  it("refuses what does not fit", async () => {
    await expect(dcdm(a, new Float64Array(5), identity)).rejects.toMatchObject({
      name: "ShapeError",
      message: expect.stringContaining("A has shape [144,144] and b 5 entries"),
    });
    const holed = sparse.fromDense([
      [2, 0],
      [0, Number.NaN],
    ]);
    await expect(dcdm(holed, [1, 1], identity)).rejects.toThrow(/A must be finite, got NaN/);
    await expect(dcdm(a, b, () => new Float64Array(3))).rejects.toThrow(/gave 3 numbers; it must give 144/);
    await expect(dcdm(a, b, (r) => r.map(() => Number.NaN))).rejects.toThrow(/directions must be finite/);
    await expect(dcdm(sparse.scale(a, -1), b, identity)).rejects.toThrow(/positive definite/);
    const skew = sparse.fromDense([
      [2, 1],
      [0, 2],
    ]); // prettier-ignore
    await expect(dcdm(skew, [1, 1], identity, { checkSymmetry: true })).rejects.toThrow(/differs from its transpose/);
  });
});

describe("a state", () => {
  it("is refused by another system of the same order", async () => {
    const other = b.map((v) => 1 - 2 * v);
    const one = await dcdm(a, b, identity, { maxIterations: 3 });
    await expect(dcdm(a, other, identity, { resume: one.state })).rejects.toThrow(/of another system/);
    const two = await deflatedConjugateGradients(a, b, { maxIterations: 3 });
    await expect(deflatedConjugateGradients(a, other, { resume: two.state })).rejects.toThrow(/of another system/);
  });
});

runConformance(
  "dcdm",
  {
    run: (options) => dcdm(a, b, wild, { tolerance: 1e-13, ...options }),
    limit: "maxIterations",
    short: 6,
    endless: { maxIterations: 1e9, tolerance: 1e-300 },
    seeded: false,
    invalid: [
      { k: -1 },
      { k: 1.5 },
      { tolerance: 0 },
      { onStagnation: "stop" },
      { keepDirections: "no" },
      { checkSymmetry: "no" },
    ],
    nonFinite: [
      () =>
        dcdm(
          a,
          b.map(() => Number.NaN),
          identity,
        ),
    ],
  },
  { describe, it, expect },
);

describe("training", () => {
  it("has Ritz vectors: orthonormal, with values inside the spectrum, the lowest one exact", () => {
    const { values, vectors } = ritzPairs(a, n, 60, random.rng(1));
    const gram = vectors.matmul(vectors.transpose());
    const m = values.length;
    expectClose(
      gram,
      Array.from({ length: m }, (_, i) => Array.from({ length: m }, (__, j) => (i === j ? 1 : 0))),
      1e-10,
    );
    expect(values[0]).toBeCloseTo(4 - 4 * Math.cos(Math.PI / 13), 10);
    expect(values[m - 1]).toBeLessThanOrEqual(4 + 4 * Math.cos(Math.PI / 13) + 1e-12);
    const rows = ritzSamples({ values, vectors }, { samples: 5, rng: random.rng(2) });
    expectClose(sum(mul(rows, rows), 1), [1, 1, 1, 1, 1], 1e-6);
  });

  it("has the same Ritz vectors and samples in any unit of A", () => {
    const samplesOf = (unit: number) => {
      const pairs = ritzPairs(sparse.scale(a, unit), n, 40, random.rng(1));
      return {
        values: pairs.values.map((v) => v / unit),
        rows: ritzSamples(pairs, { samples: 3, rng: random.rng(2) }),
      };
    };
    const plain = samplesOf(1);
    for (const unit of [2 ** -30, 2 ** -500, 2 ** 900]) {
      const found = samplesOf(unit);
      expect(found.values).toEqual(plain.values);
      expect(found.rows.data()).toEqual(plain.rows.data());
    }
    const pairs = ritzPairs(a, n, 10, random.rng(1));
    expect(() => ritzSamples(pairs, { samples: 3, dropBelow: 9, rng: random.rng(2) })).toThrow(
      /none of 10 Ritz values/,
    );
    expect(() => ritzPairs(sparse.scale(a, 0), n, 10, random.rng(1))).toThrow(/A times a random vector has length 0/);
  });

  it("makes rows of length 1 whatever their size, and refuses those of zeros", () => {
    const rows = unitRows(
      f64([
        [3e200, 4e200],
        [3e-200, 4e-200],
      ]),
    ); // prettier-ignore
    expectClose(
      rows,
      [
        [0.6, 0.8],
        [0.6, 0.8],
      ],
      1e-7,
    ); // prettier-ignore
    expect(() =>
      unitRows(
        tensor([
          [1, 2],
          [0, 0],
        ]),
      ),
    ).toThrow(/row 1 has length 0/); // prettier-ignore
  });

  it("has a loss that does not depend on the scale of answers, and is 0 for the solution", () => {
    const small = poissonMatrix(macGrid([3, 4]));
    const product = tensorProduct(small);
    const x = f64(Array.from({ length: 2 }, (_, r) => Array.from({ length: 12 }, (__, i) => Math.sin(i + 5 * r)))); // prettier-ignore
    const units = x.div(sum(x.mul(x), { axis: 1, keepDims: true }).sqrt());
    const y = scattered([2, 12]);
    expectClose(
      product(x).data().slice(0, 12) as Float64Array,
      sparse.multiplyVector(small, x.data().slice(0, 12) as Float64Array),
      1e-12,
    ); // prettier-ignore
    expectClose(directionLoss(product, units, mul(y, -2.5)), directionLoss(product, units, y), 1e-13);
    const exact = linalg.solve(tensor(sparse.toDense(small), { shape: [12, 12] }), units.transpose()).transpose();
    expect(directionLoss(product, units, exact).item()).toBeLessThan(1e-24);
    expectGradient((z: Tensor) => directionLoss(product, units, z), [y]);
    expect(Math.abs(sum(mul(y, grad((z: Tensor) => directionLoss(product, units, z))(y))).item())).toBeLessThan(1e-13);
  });
});

describe("the network", () => {
  it("has the paper's numbers of parameters, and gives what it gets in shape", () => {
    const count = (size: "small" | "large") =>
      directionNetwork({ dimension: 3, size })
        .init(random.rng(0))
        .reduce((total, { weight, bias }) => total + weight.size + (bias?.size ?? 0), 0);
    expect([count("small"), count("large")]).toEqual([97_457, 139_025]);
    const plane = directionNetwork({ dimension: 2, filters: 2 });
    const params = plane.init(random.rng(1), "float64");
    expect(plane.apply(params, scattered([2, 1, 6, 10])).shape).toEqual([2, 1, 6, 10]);
    expect(() => plane.apply(params, scattered([1, 1, 5, 6]))).toThrow(/extents must be even/);
  });

  it("goes along with even shifts, far from the border", () => {
    const plane = directionNetwork({ dimension: 2, filters: 2 });
    const params = plane.init(random.rng(2), "float64");
    const at = (row: number) =>
      tensor(
        Float64Array.from({ length: 64 * 64 }, (_, i) => (i === row * 64 + 32 ? 1 : 0)),
        { shape: [1, 1, 64, 64] },
      ); // prettier-ignore
    const zero = plane.apply(params, mul(at(32), 0));
    const [here, there] = [plane.apply(params, at(32)), plane.apply(params, at(34))].map((y) => add(y, mul(zero, -1)));
    expectClose(
      here.slice([0, 0, 32, { start: 28, stop: 36 }]),
      there.slice([0, 0, 34, { start: 28, stop: 36 }]),
      1e-12,
    );
  });
});

describe("a network in other hands", () => {
  it("gives dcdm the same directions as a function of images, and refuses other sizes", async () => {
    const { network, params } = await shippedNetwork();
    const bare = directionsFrom((x) => network.apply(params, x), grid);
    const options = { tolerance: 1e-6 };
    const [one, other] = [
      await dcdm(a, b, bare, options),
      await dcdm(a, b, directionsBy(network, params, grid), options),
    ];
    expect(one.iterations).toBe(other.iterations);
    expectClose(tensor(one.x), tensor(other.x), 1e-4);
    await expect(Promise.resolve(bare(new Float64Array(5)))).rejects.toThrow(
      /residual has 5 entries; the grid \[12,12\]/,
    );
    const short = directionsFrom(
      (x) =>
        x
          .slice([0])
          .slice([0])
          .slice([{ stop: 3 }]),
      grid,
    );
    await expect(Promise.resolve(short(b))).rejects.toThrow(/answer of the model has 36 entries/);
  });

  it("as a fixed preconditioner is r scaled back, of positive sign; conjugate gradients need more than dcdm", async () => {
    const { network, params } = await shippedNetwork();
    const minus = params.map((layer, k) =>
      k === params.length - 1 ? { weight: layer.weight.neg(), ...(layer.bias && { bias: layer.bias.neg() }) } : layer,
    );
    const [z, turned] = [new Float64Array(n), new Float64Array(n)];
    preconditionerBy(network, params, grid)(b, z);
    preconditionerBy(
      network,
      minus,
      grid,
    )(
      b.map((v) => 2 * v),
      turned,
    );
    expectClose(tensor(turned), tensor(z.map((v) => 2 * v)), 1e-5);
    expect(dot(z, b)).toBeGreaterThan(0);
    const preconditioner = preconditionerBy(network, params, grid);
    const options = { tolerance: 1e-9, maxIterations: 300 };
    const ours = await dcdm(a, b, directionsBy(network, params, grid), options);
    expect(ours.status).toBe("converged");
    expect(conjugateGradientsSync(a, b, { ...options, preconditioner }).iterations).toBeGreaterThan(ours.iterations);
    expect(() => preconditioner(new Float64Array(3), z)).toThrow(/residual has 3 entries/);
  });
});

describe("the projection", () => {
  it("leaves no divergence, in the plane and in space, around an obstacle", () => {
    for (const extents of [
      [10, 12],
      [6, 5, 7],
    ]) {
      const box = macGrid(extents, (cell) => cell.every((c, k) => Math.abs(c - extents[k] / 2) < 1.6));
      const rng = random.rng(extents.join());
      const drawn = stillVelocities(box).map(
        (v) => rng.normal([v.length], { dtype: "float64" }).data() as Float64Array,
      );
      const velocities = stoppedAtSolids(box, drawn);
      const matrix = poissonMatrix(box);
      const fill = Float64Array.from(box.solid);
      const right = divergence(box, velocities).map((v) => -v);
      const pressures = sparse.cholesky(sparse.add(matrix, sparse.diagonal(fill))).solve(right);
      const after = divergence(box, withoutGradient(box, velocities, pressures));
      expect(Math.max(...after.map(Math.abs))).toBeLessThan(1e-12);
    }
  });

  it("is refused where fluid is enclosed", () => {
    expect(() => macGrid([5, 5], ([i, j]) => Math.abs(i - 2) + Math.abs(j - 2) === 1)).toThrow(
      /enclosed by solid cells/,
    );
  });

  it("is refused where it is no grid, and arrays of another one", () => {
    expect(() => macGrid({ length: 2 } as never)).toThrow(/give an array of numbers/);
    expect(() => macGrid([1e9, 1e9])).toThrow(/1000000000000000000 cells; at most 2\^31 - 1/);
    expect(() => macGrid([4, 4], 3 as never)).toThrow(/solid/);
    const box = macGrid([4, 4]);
    const short = [new Float64Array(3), new Float64Array(3)];
    expect(() => poissonMatrix({ ...box, extents: [5, 5] })).toThrow(/grid\.solid has 16 entries; this grid needs 25/);
    expect(() => divergence(box, short)).toThrow(/velocities\[0\] has 3 entries; this grid needs 20/);
    expect(() => stoppedAtSolids(box, short)).toThrow(/velocities\[0\]/);
    expect(() => withoutGradient(box, stillVelocities(box), new Float64Array(3))).toThrow(/pressures has 3 entries/);
  });
});

describe("deflated conjugate gradients", () => {
  it("solve the system, in fewer iterations than plain ones", async () => {
    const big = poissonMatrix(macGrid([24, 24]));
    const right = random.rng("deflated").normal([576], { dtype: "float64" }).data() as Float64Array;
    const solved = await deflatedConjugateGradients(big, right, { tolerance: 1e-9 });
    const left = sparse.multiplyVector(big, solved.x).map((v, i) => right[i] - v);
    expect(Math.sqrt(dot(left, left) / dot(right, right))).toBeLessThan(1e-8);
    expect(solved.iterations).toBeLessThan(conjugateGradientsSync(big, right, { tolerance: 1e-9 }).iterations);
  });
});

runConformance(
  "deflatedConjugateGradients",
  {
    run: (options) => deflatedConjugateGradients(a, b, { tolerance: 1e-13, vectors: 2, ...options }),
    limit: "maxIterations",
    short: 6,
    endless: { maxIterations: 1e9, tolerance: 1e-300 },
    seeded: false,
    invalid: [{ vectors: 0 }, { tolerance: 0 }],
    nonFinite: [
      () =>
        deflatedConjugateGradients(
          a,
          b.map(() => Number.NaN),
        ),
    ],
  },
  { describe, it, expect },
);
