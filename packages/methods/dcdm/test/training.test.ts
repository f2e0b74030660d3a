import { loadParameters, saveParameters } from "@offprint/nn";
import { runConformance } from "@offprint/solvers/conformance";
import { random, sparse, tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { boxWithDisc } from "../claims/systems.js";
import {
  dcdm,
  directionNetwork,
  directionsBy,
  divergence,
  fitDirectionNetwork,
  macGrid,
  plumeStep,
  poissonMatrix,
  shippedNetwork,
  stillPlume,
  stillVelocities,
  unitRows,
} from "../src/index.js";

const grid = [8, 8];
const a = poissonMatrix(macGrid(grid));
const network = directionNetwork({ dimension: 2, filters: 2, size: { fine: 0, coarse: 1, up: 0 } });
const vectors = unitRows(random.rng("vectors").normal([40, 64], { dtype: "float64" }));

runConformance(
  "fitDirectionNetwork",
  {
    run: (options) => fitDirectionNetwork(network, a, vectors, { grid, steps: 6, validateEvery: 3, ...options }),
    limit: "steps",
    short: 5,
    endless: { steps: 1e9 },
    seeded: true,
    invalid: [
      { batchSize: 0 },
      { learningRate: -1 },
      { holdOut: 1 },
      { validateEvery: 0 },
      { holdOut: "0.1" },
      { learningRate: [1e-3] },
    ],
    nonFinite: [
      () =>
        fitDirectionNetwork(network, a, tensor(new Float32Array(640).fill(Number.NaN), { shape: [10, 64] }), {
          grid,
          steps: 1,
        }),
    ],
  },
  { describe, it, expect },
);

describe("fitDirectionNetwork", () => {
  it("lowers the loss on vectors held out, and its network solves after it was saved and read", async () => {
    const fit = await fitDirectionNetwork(network, a, vectors, {
      grid,
      steps: 150,
      learningRate: [5e-3, 5e-4],
      validateEvery: 10,
    });
    const first = fit.history.find(({ validation }) => validation !== undefined)?.validation ?? 0;
    expect(fit.validation).toBeLessThan(0.8 * first);
    const read = loadParameters(saveParameters(fit.params), network.init(random.rng(1)));
    const b = random.rng("b").normal([64], { dtype: "float64" }).data() as Float64Array;
    const { x, status } = await dcdm(a, b, directionsBy(network, read, grid), {
      tolerance: 1e-9,
      maxIterations: 400,
      onStagnation: "residual",
    });
    expect(status).toBe("converged");
    const left = sparse.multiplyVector(a, x).map((value, i) => b[i] - value);
    expect(Math.hypot(...left) / Math.hypot(...b)).toBeLessThan(1e-8);
  });

  it("does not see the unit of A", async () => {
    const options = { grid, steps: 3 };
    const plain = await fitDirectionNetwork(network, a, vectors, options);
    const small = await fitDirectionNetwork(network, sparse.scale(a, 2 ** -120), vectors, options);
    expect(small.history).toEqual(plain.history);
  });

  it("refuses vectors and grids that do not fit", async () => {
    const long = vectors.mul(1e3);
    await expect(fitDirectionNetwork(network, a, long, { grid, steps: 1 })).rejects.toThrow(/row 0 of vectors has/);
    await expect(fitDirectionNetwork(network, a, vectors, { grid: "8" as never, steps: 1 })).rejects.toThrow(
      /grid is 8/,
    );
    await expect(fitDirectionNetwork(network, a, vectors, { grid: [8, 6], steps: 1 })).rejects.toThrow(
      /do not fit the grid/,
    );
    await expect(fitDirectionNetwork(network, a, vectors, { grid, steps: 1, initial: {} as never })).rejects.toThrow(
      /params are of undefined layers; this network has/,
    );
    expect(() => directionNetwork({ dimension: 2, size: { fine: 1, coarse: 1, up: 1, down: 1 } as never })).toThrow(
      /size: there is no option "down"/,
    );
    expect(() => directionNetwork({ dimension: 2, size: null as never })).toThrow(/\{ fine, coarse, up \}/);
    expect(() => directionsBy(network, network.init(random.rng(0)), [7, 8])).toThrow(/extents must be even/);
    const map = directionsBy(network, network.init(random.rng(0)), grid);
    await expect(map(new Float64Array(5))).rejects.toThrow(/the residual has 5 entries/);
  });
});

describe("the network that ships", () => {
  it("serves grids of other sizes and solves to full accuracy", async () => {
    const { network: shipped, params } = await shippedNetwork();
    const box = boxWithDisc(24);
    const b = (random.rng(1).normal([576], { dtype: "float64" }).data() as Float64Array).map((value, i) =>
      box.solid[i] ? 0 : value,
    );
    const run = await dcdm(poissonMatrix(box), b, directionsBy(shipped, params, [24, 24]), { tolerance: 1e-10 });
    expect([run.status, run.residualNorm / run.initialResidualNorm < 1e-10]).toEqual(["converged", true]);
  });
});

describe("smoke", () => {
  const box = boxWithDisc(16);
  const source = Float64Array.from({ length: 256 }, (_, cell) =>
    cell >= 16 && cell < 48 && cell % 16 > 6 && cell % 16 < 10 ? 1 : 0,
  );
  const whole = (matrix: sparse.CsrMatrix) =>
    sparse.cholesky(sparse.add(matrix, sparse.diagonal(Float64Array.from(box.solid))));

  it("rises, stays out of what is solid, and is the same whatever solves the pressure", async () => {
    const { network: shipped, params } = await shippedNetwork();
    const map = directionsBy(shipped, params, [16, 16]);
    const exact = (matrix: unknown, b: Float64Array) => whole(matrix as sparse.CsrMatrix).solve(b) as Float64Array;
    const learnt = async (matrix: unknown, b: Float64Array) =>
      (await dcdm(matrix as sparse.CsrMatrix, b, map, { tolerance: 1e-10 })).x;
    let [one, other] = [stillPlume(box), stillPlume(box)];
    for (let frame = 0; frame < 12; frame++) {
      one = await plumeStep(box, one, source, exact);
      other = await plumeStep(box, other, source, learnt);
    }
    const mass = (density: Float64Array) => density.reduce((sum, value) => sum + value, 0);
    expect(mass(one.density)).toBeGreaterThan(1.5 * mass(source));
    expect(mass(other.density) / mass(one.density)).toBeCloseTo(1, 6);
    for (const [cell, solid] of box.solid.entries()) if (solid) expect(one.density[cell]).toBe(0);
    const height = (density: Float64Array) =>
      density.reduce((sum, value, cell) => sum + value * Math.floor(cell / 16), 0) / mass(density);
    expect(height(one.density)).toBeGreaterThan(height(source) + 0.5);
  });

  it.each([[[8, 6]], [[6, 4, 6]]])("is carried exactly where its density is linear, on %j cells", async (extents) => {
    const grid = macGrid(extents);
    const wind = [0.25, -0.5, 0.125];
    const velocities = stillVelocities(grid).map((faces, axis) => faces.fill(wind[axis]));
    const slope = [3, -1, 2];
    const places = extents.reduce<number[][]>(
      (all, extent) => all.flatMap((at) => Array.from({ length: extent }, (_, i) => [...at, i])),
      [[]],
    );
    const linear = (at: readonly number[]) => at.reduce((sum, c, axis) => sum + slope[axis] * c, 0);
    const plume = { density: Float64Array.from(places, linear), velocities };
    const nothing = new Float64Array(places.length).fill(-1e9);
    const still = (_: unknown, b: Float64Array) => b.fill(0);
    const next = await plumeStep(grid, plume, nothing, still, { timeStep: 0.5, buoyancy: 1e-300 });
    for (const [cell, at] of places.entries()) {
      if (at.some((c, axis) => c === 0 || c === extents[axis] - 1)) continue;
      expect(next.density[cell]).toBeCloseTo(linear(at.map((c, axis) => c - 0.5 * wind[axis])), 12);
    }
    for (const [axis, faces] of next.velocities.entries()) expect(new Set(faces)).toEqual(new Set([wind[axis]]));
  });

  it("in space keeps to what the pressure leaves: no divergence, smoke above its source", async () => {
    const grid = macGrid([8, 4, 4], ([i, j, k]) => i === 4 && j === 1 && k === 1);
    const puff = Float64Array.from({ length: 128 }, (_, cell) => (cell >= 16 && cell < 32 ? 1 : 0));
    const exact = (matrix: unknown, b: Float64Array) =>
      sparse
        .cholesky(sparse.add(matrix as sparse.CsrMatrix, sparse.diagonal(Float64Array.from(grid.solid))))
        .solve(b) as Float64Array;
    let plume = stillPlume(grid);
    for (let frame = 0; frame < 8; frame++) plume = await plumeStep(grid, plume, puff, exact, { buoyancy: 0.5 });
    for (const value of divergence(grid, plume.velocities)) expect(Math.abs(value)).toBeLessThan(1e-12);
    expect(plume.density.slice(48).some((value) => value > 0.1)).toBe(true);
    expect(plume.density[4 * 16 + 5]).toBe(0);
  });

  it("refuses sources and grids that do not fit", async () => {
    const solve = (_: unknown, b: Float64Array) => b;
    await expect(plumeStep(box, stillPlume(box), new Float64Array(3), solve)).rejects.toThrow(
      /source has 3 entries; .* 256/,
    );
    const thin = { ...stillPlume(box), density: new Float64Array(3) };
    await expect(plumeStep(box, thin, source, solve)).rejects.toThrow(/plume\.density has 3 entries/);
    await expect(plumeStep(box, stillPlume(box), source, () => new Float64Array(3))).rejects.toThrow(/pressures has 3/);
    await expect(plumeStep(box, stillPlume(box), source, solve, { timeStep: 0 })).rejects.toThrow(/timeStep is 0/);
  });
});
