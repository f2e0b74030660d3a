import { random, type Tensor, take, tensor, vjp, zeros } from "@offprint/tensor-core";
import { centralDifferences, expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { retardation } from "../src/diffusion-sorption.js";
import {
  burgers,
  diffusionSorption,
  navierStokes2d,
  randomVorticity,
  solveBurgers,
  solveDiffusionSorption,
  solveNavierStokes2d,
} from "../src/index.js";

describe("the references", () => {
  it("of Burgers is the exact solution by Cole and Hopf", async () => {
    const [nu, length, m] = [0.05, 2, 128];
    const k = (2 * Math.PI) / length;
    // phi = 2 + e^(-nu k^2 t) cos k x solves the heat equation; u = -2 nu phi_x / phi.
    const exact = (t: number, x: number) => {
      const decay = Math.exp(-nu * k * k * t);
      return (2 * nu * k * decay * Math.sin(k * x)) / (2 + decay * Math.cos(k * x));
    };
    const at = (t: number) => Float64Array.from({ length: m }, (_, i) => exact(t, (i * length) / m));
    const u = await solveBurgers(tensor(at(0)).reshape([1, m]), { times: 5, viscosity: nu, length, stepsBetween: 40 });
    for (let i = 0; i < 5; i++) expectClose(u.slice([0, i]), at(i / 4), 1e-6);
    const coarse = await solveBurgers(tensor(at(0)).reshape([1, m]), {
      times: 5,
      points: 32,
      viscosity: nu,
      length,
      stepsBetween: 40,
    });
    expectClose(coarse, u.slice([null, null, { step: 4 }]), 1e-12);
  });

  it("of diffusion-sorption keeps a steady state, and converges with the time step", () => {
    const options = { times: 5, points: 16 };
    const u0 = tensor([0.1], { dtype: "float64" });
    const [coarse, fine, finer] = [4, 16, 64].map((stepsBetween) =>
      solveDiffusionSorption(u0, { ...options, stepsBetween }),
    );
    const apart = (a: Tensor, b: Tensor) => a.sub(b).abs().max().item();
    expect(apart(fine, finer)).toBeLessThan(0.35 * apart(coarse, finer));
    expect(fine.min().item()).toBeGreaterThan(-1e-9);
    expect(fine.max().item()).toBeLessThanOrEqual(1);
    const left = take(fine.slice([0]), new Int32Array([0]), 1).data();
    for (let i = 1; i < 5; i++) expect(left[i]).toBeGreaterThan(left[i - 1]);
  });

  it("of a flow decays as viscosity says where nothing else acts", async () => {
    const n = 16;
    const w0 = tensor(
      Float64Array.from({ length: n * n }, (_, i) => Math.sin((2 * Math.PI * Math.floor(i / n)) / n)),
    ).reshape([1, n, n]);
    const w = await solveNavierStokes2d(w0, { times: 3, reynolds: 10, end: 1 });
    expectClose(w.slice([0, 2]), w0.mul(Math.exp(-0.1)).slice([0]), 1e-5);
  });
});

describe("the equations", () => {
  it("leave the references a residual that falls with the grid", async () => {
    const fine = tensor(Float64Array.from({ length: 256 }, (_, i) => Math.sin((2 * Math.PI * i) / 256) / 2)).reshape([
      1, 256,
    ]);
    const residualOn = async (times: number, points: number) => {
      const pde = burgers({ times, points });
      const u = await solveBurgers(fine, { times, points, stepsBetween: Math.ceil(300 / times) });
      const initial = fine.slice([null, { step: 256 / points }]);
      const none = zeros([1, times, points, 1], "float64");
      const offset = pde.offset?.({ initial }) ?? {};
      const part = u.sub(offset.u).reshape([1, times, points, 1]);
      const terms = pde.terms(part.add(none), { initial });
      const fields = Object.fromEntries(
        Object.entries(terms).map(([name, x]) => [
          name,
          offset[name] === undefined ? x.reshape([1, times, points]) : x.reshape([1, times, points]).add(offset[name]),
        ]),
      );
      return pde.residual(fields).abs().max().item();
    };
    expect(await residualOn(32, 128)).toBeLessThan(0.4 * (await residualOn(16, 64)));
  });

  it("have the derivatives by their fields that differences show, R'(u) = 0 where u <= 0 too", () => {
    const rng = random.rng(3);
    const cases = [
      { pde: burgers(), names: ["u", "ut", "ux", "uxx"] },
      { pde: diffusionSorption(), names: ["u", "ut", "uxx"] },
      { pde: navierStokes2d(), names: ["wt", "vx", "vy", "wx", "wy", "laplacian"] },
    ];
    for (const { pde, names } of cases) {
      const fields = Object.fromEntries(names.map((name) => [name, rng.normal([4], { dtype: "float64" })]));
      for (const name of names) {
        const of = (x: Tensor) => pde.residual({ ...fields, [name]: x }).sum();
        const [, pullback] = vjp(of, fields[name]);
        const numeric = centralDifferences((v) => of(tensor(Float64Array.from(v))).item(), fields[name].data());
        expectClose(pullback(tensor(1, { dtype: "float64" }))[0], numeric, { relative: 1e-5, absolute: 1e-6 }, name);
      }
    }
    const u = tensor([-1, -0.2, 0.3], { dtype: "float64" });
    const [value, pullback] = vjp(retardation, u);
    const plain = (v: number) =>
      1 + ((1 - 0.29) / 0.29) * 2880 * 3.5e-4 * 0.874 * (Math.max(v, 0) + 1e-6) ** (0.874 - 1);
    expectClose(value, [-1, -0.2, 0.3].map(plain), 1e-12);
    expect(
      pullback(tensor([1, 1, 1], { dtype: "float64" }))[0]
        .data()
        .slice(0, 2),
    ).toEqual(new Float64Array(2));
  });

  it("give a network its problem, and random flows a mean of 0", () => {
    expect(burgers().input({ initial: zeros([3, 64], "float64") }).shape).toEqual([3, 4, 16, 64]);
    expect(diffusionSorption().input({ initial: tensor([0.1, 0.2]) }).shape).toEqual([2, 3, 33, 64]);
    const w = randomVorticity(random.rng(1), 2, 8);
    expect(navierStokes2d({ points: 8 }).input({ initial: w }).shape).toEqual([2, 4, 16, 8, 8]);
    expectClose(w.mean({ axis: [1, 2] }), [0, 0], 1e-12);
  });
});

it("what does not fit is refused by name", async () => {
  expect(() => burgers({ times: 2 })).toThrow(/times is 2/);
  expect(() => burgers({ viscosity: 0 })).toThrow(/viscosity is 0/);
  expect(() => diffusionSorption({ end: -1 })).toThrow(/end is -1/);
  expect(() => navierStokes2d({ reynolds: 0 })).toThrow(/reynolds is 0/);
  expect(() => burgers({ nu: 1 } as never)).toThrow(/there is no option "nu"/);
  await expect(solveBurgers([1, 2])).rejects.toThrow(/initial has shape \[2\]/);
  await expect(solveBurgers(zeros([1, 12]), { points: 5 })).rejects.toThrow(/it must divide the 12/);
  expect(() => solveDiffusionSorption([-1])).toThrow(/initial holds -1/);
  expect(() => solveDiffusionSorption([[1]])).toThrow(/initial has shape \[1,1\]/);
});
