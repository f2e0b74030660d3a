import { runConformance } from "@offprint/solvers/conformance";
import { grad, jitSync, mul, random, scan, sum, type Tensor, type TensorLike } from "@offprint/tensor-core";
import { errorLike, expectClose, expectGradient } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  type Complex,
  coordinates,
  dealias,
  divergence,
  gaussianRandomField,
  laplacian,
  navierStokes,
  type SchemeName,
  schemes,
  simulate,
  streamFunction,
  toField,
  torus,
  toSpectrum,
  velocity,
} from "../src/index.js";

const grid = torus({ points: [16, 16] });
const forcing = coordinates(grid, 0)
  .add(coordinates(grid, 1))
  .mul(2 * Math.PI)
  .sin()
  .mul(0.1);
const flow = navierStokes(grid, { viscosity: 1e-3, forcing });
const start = dealias(grid, gaussianRandomField(grid, random.rng(0), { batch: 2 }));

/** Steps of one scheme, compiled. */
function advance(w: Tensor, steps: number, dt: number, name: SchemeName, system = flow): Tensor {
  const run = jitSync(
    (x: Complex) =>
      scan((s: Complex, _: null): [Complex, null] => [schemes[name].step(system, s, dt), null], x, null, {
        length: steps,
      })[0],
  );
  return toField(grid, run(toSpectrum(grid, w)));
}

const distance = (a: Tensor, b: Tensor) => a.sub(b).square().mean().sqrt().item();

it("the velocity has the given vorticity, no divergence, and its stream function", () => {
  const w = start.slice([0]);
  const u = velocity(grid, w);
  expectClose(divergence(grid, u), w.mul(0), 1e-11);
  expectClose(laplacian(grid, streamFunction(grid, w)), w.mul(-1), 1e-11);
});

describe.each<SchemeName>(["imex1", "imex2"])("%s", (name) => {
  it("damps a Taylor-Green vortex by (1 - q) / (1 + q) a step", () => {
    const nu = 0.01;
    const kappa = 2 * Math.PI;
    const system = navierStokes(grid, { viscosity: nu });
    const vortex = coordinates(grid, 0)
      .mul(kappa)
      .cos()
      .mul(coordinates(grid, 1).mul(kappa).cos())
      .mul(2 * kappa);
    const q = nu * kappa ** 2 * 0.05;
    const expected = vortex.mul(((1 - q) / (1 + q)) ** 7);
    expect(distance(advance(vortex, 7, 0.05, name, system), expected)).toBeLessThan(1e-12 * 2 * kappa);
  });
});

it.each<[SchemeName, number, number]>([
  ["imex1", 1, 0.02],
  ["imex2", 2, 0.04],
  ["rk4", 2, 0.08],
])("%s has order %i", (name, order, dt) => {
  // Viscous enough for the error of the implicit part to show.
  const system = navierStokes(grid, { viscosity: 0.02, forcing });
  const exact = advance(start, 256, 0.32 / 256, "rk4", system);
  const errors = [dt, dt / 2].map((h) => distance(advance(start, Math.round(0.32 / h), h, name, system), exact));
  const ratio = errors[0] / errors[1];
  expect(ratio).toBeGreaterThan(0.85 * 2 ** order);
  expect(ratio).toBeLessThan(1.15 * 2 ** order);
});

it("convection changes neither enstrophy nor energy", () => {
  const w = toSpectrum(grid, start);
  const convection = toField(grid, flow.convection(w));
  for (const test of [start, streamFunction(grid, start)]) {
    const size = test.square().sum().sqrt().item() * convection.square().sum().sqrt().item();
    expect(Math.abs(sum(mul(test, convection)).item())).toBeLessThan(1e-12 * size);
  }
});

it("transport by the flow's own velocity is convection, and linear", () => {
  const w = toSpectrum(grid, start);
  const own = velocity(grid, start);
  expectClose(toField(grid, flow.transport(own, w)), toField(grid, flow.convection(w)), 1e-12);
});

it("a step is differentiable", () => {
  const small = torus({ points: [4, 4] });
  const system = navierStokes(small, { viscosity: 0.01 });
  const w = gaussianRandomField(small, random.rng(3));
  expectGradient(
    (x: Tensor) =>
      toField(small, schemes.imex2.step(system, toSpectrum(small, x), 0.1))
        .square()
        .sum(),
    [w],
  );
  const loss = (x: Tensor) =>
    toField(small, schemes.rk4.step(system, toSpectrum(small, x), 0.1))
      .square()
      .sum();
  expectClose(jitSync(grad(loss))(w), grad(loss)(w), 1e-12);
});

describe("simulate", () => {
  it("keeps the frames of single steps, after the warm-up", async () => {
    const { frames, times, steps, status } = await simulate(flow, start, {
      stepSize: 0.01,
      frames: 3,
      spacing: 0.02,
      warmUp: 0.4,
    });
    expect(frames.shape).toEqual([2, 3, 16, 16]);
    expect(status).toBe("limit");
    expect(steps).toBe(44);
    expectClose(times, [0.4, 0.42, 0.44], 1e-12);
    expectClose(frames.slice([null, 2]), advance(start, 44, 0.01, "imex2"), 1e-12);
    const first = await simulate(flow, start, { stepSize: 0.01, frames: 1, warmUp: 0 });
    expectClose(first.frames.slice([null, 0]), start, 1e-13);
    expect(first.history.length).toBe(1);
  });

  it("says which step was too large", async () => {
    const run = simulate(flow, start.mul(1e6), { stepSize: 1, frames: 30, scheme: "imex1" });
    await expect(run).rejects.toThrow(errorLike("NonFiniteError", /take a stepSize below 1/));
  });
});

runConformance(
  "simulate",
  {
    run: (options) => simulate(flow, start, { stepSize: 0.01, frames: 4, spacing: 0.05, ...options }),
    limit: "frames",
    short: 5,
    endless: { frames: 1e7 },
    seeded: false,
    invalid: [{ stepSize: 0 }, { spacing: 0.013 }, { warmUp: -1 }, { scheme: "euler" }, { frames: 0 }],
    nonFinite: [() => simulate(flow, start.mul(Number.NaN), { stepSize: 0.01, frames: 1 })],
  },
  { describe, expect, it },
);

it("what is not a flow in a plane is refused", () => {
  const make = (points: number[], viscosity: number, force?: TensorLike) => () =>
    navierStokes(torus({ points }), { viscosity, forcing: force });
  expect(make([8], 1)).toThrow(errorLike("ValueError", /two/));
  expect(make([8, 8], 0)).toThrow(errorLike("ValueError", /viscosity/));
  expect(make([8, 8], 1, [1, 2])).toThrow(errorLike("ShapeError", /last axes/));
});
