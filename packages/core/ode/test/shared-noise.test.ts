import {
  add,
  concatenate,
  grad,
  jitSync,
  matmul,
  mean,
  mul,
  random,
  reshape,
  square,
  stack,
  sum,
  type Tensor,
  tanh,
  tensor,
} from "@offprint/tensor-core";
import { centralDifferences, errorLike, expectClose, f64 } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { BrownianPath, replaySde, type StochasticSteps, solveSde } from "../src/index.js";

const total = (x: ArrayLike<number>) => Array.from(x).reduce((a, b) => a + b, 0);

/** Steps of one size over [0, 1], along increments `[n, width]`. */
function evenSteps(n: number, width: number, dW: Float64Array): StochasticSteps {
  return {
    t: f64(
      Array.from({ length: n }, (_, i) => i / n),
      [n],
    ),
    h: f64(new Array(n).fill(1 / n), [n]),
    dW: f64(dW, [n, width]),
    dZ: f64(new Float64Array(n * width), [n, width]),
    count: tensor(n, { dtype: "int32" }),
  };
}

describe("noise that entries share", () => {
  it("with a diagonal matrix is noise of each entry's own", async () => {
    const drift = (_t: number, [a, b]: Float64Array) => [1.5 * a, -b];
    for (const method of ["eulerMaruyama", "eulerHeun"] as const) {
      const options = { method, seed: 3, stepSize: 0.05 };
      const own = await solveSde(drift, (_t, [a, b]) => [a, 0.3 * b], [1, 2], [0, 1], options);
      const shared = await solveSde(
        drift,
        (_t, [a, b]) => [
          [a, 0],
          [0, 0.3 * b],
        ],
        [1, 2],
        [0, 1],
        { ...options, noise: [2] },
      );
      expectClose(shared.end.y, own.end.y, 1e-13);
    }
  });

  it("of constant factors is added exactly, however steps are chosen", async () => {
    const factors = [
      [0.5, -1, 0.2],
      [0.3, 0.1, 0],
    ];
    const path = BrownianPath.create(3, "additive");
    const { end, steps } = await solveSde(
      () => [0, 0],
      () => factors,
      [1, 2],
      [0, 1],
      { method: "eulerMaruyama", noise: [3], path },
    );
    const { dW } = path.increment(0, 1);
    expectClose(
      end.y,
      factors.map((row, i) => i + 1 + total(row.map((g, k) => g * dW[k]))),
      1e-13,
    );
    expect(steps).toBeGreaterThan(1);
  });

  /*
   * du = A u dt + B1 u dW1 + B2 u dW2 with B1 = b (a scaling) and B2 = c J (a rotation), which commute with A = a: rows of complex
   * numbers, whose exact solutions are exponentials.
   */
  const [a, b, c] = [0.3, 0.5, 0.8];
  const turned = (u: Tensor) => concatenate([mul(u.slice([null, { start: 1 }]), -1), u.slice([null, { stop: 1 }])], 1);
  const slopes = (method: "eulerMaruyama" | "eulerHeun") => {
    const paths = 2000;
    const rng = random.rng(`commuting ${method}`);
    let n = 64;
    let dW = rng
      .normal([n, 2 * paths], { dtype: "float64" })
      .data()
      .map((x) => x / 8) as Float64Array;
    const ends = new Float64Array(2 * paths);
    dW.forEach((w, i) => {
      ends[i % (2 * paths)] += w;
    });
    // Ito: the exponent loses half the squares of scaling and rotation, b^2 - c^2.
    const rate = method === "eulerMaruyama" ? a - (b * b - c * c) / 2 : a;
    const exact = Array.from({ length: paths }, (_, p) => {
      const [size, angle] = [Math.exp(rate + b * ends[2 * p]), c * ends[2 * p + 1]];
      return [size * Math.cos(angle), size * Math.sin(angle)];
    });
    const u0 = f64(
      Array.from({ length: 2 * paths }, (_, i) => (i % 2 === 0 ? 1 : 0)),
      [paths, 2],
    );
    const errors: number[] = [];
    for (;;) {
      const solve = jitSync(
        (steps: StochasticSteps) =>
          replaySde(
            (_t, u: Tensor) => mul(u, a),
            (_t, u: Tensor) => stack([mul(u, b), mul(turned(u), c)], -1),
            u0,
            steps,
            { method, noise: [paths, 2] },
          ).y,
      );
      const y = solve(evenSteps(n, 2 * paths, dW)).data();
      errors.push(total(exact.map(([re, im], p) => Math.hypot(y[2 * p] - re, y[2 * p + 1] - im))) / paths);
      if (n === 8) return Math.log2(errors[errors.length - 1] / errors[0]) / 3;
      const halved = new Float64Array(dW.length / 2);
      for (let i = 0; i < n; i++) {
        for (let k = 0; k < 2 * paths; k++) halved[(i >> 1) * 2 * paths + k] += dW[i * 2 * paths + k];
      }
      [n, dW] = [n / 2, halved];
    }
  };

  it("has strong order 1/2 by Euler and Maruyama, 1 by Euler and Heun where the noises commute", () => {
    const ito = slopes("eulerMaruyama");
    expect(ito).toBeGreaterThan(0.35);
    expect(ito).toBeLessThan(0.7);
    const stratonovich = slopes("eulerHeun");
    expect(stratonovich).toBeGreaterThan(0.8);
    expect(stratonovich).toBeLessThan(1.3);
  });

  const rng = random.rng("shared");
  const weights = {
    f: mul(rng.normal([3, 3], { dtype: "float64" }), 0.7),
    g: mul(rng.normal([3, 6], { dtype: "float64" }), 0.3),
  };
  type W = typeof weights;
  const u0 = rng.normal([4, 3], { dtype: "float64" });
  const drift = (_t: Tensor, u: Tensor, w: W) => tanh(matmul(u, w.f));
  const diffusion = (_t: Tensor, u: Tensor, w: W) => reshape(matmul(u, w.g), [4, 3, 2]);

  it("adapts its steps, and the replay has the gradient of finite differences, with one path or one for each row", async () => {
    for (const noise of [[2], [4, 2]]) {
      for (const method of ["eulerMaruyama", "eulerHeun"] as const) {
        const options = { method, noise, parameters: weights, relativeTolerance: 0.02, absoluteTolerance: 0.02 };
        const solution = await solveSde(drift, diffusion, u0, [0, 1], { ...options, seed: 2 });
        expect(solution.steps).toBeGreaterThan(3);
        const steps = solution.replay();
        expect(steps.dW.shape[1]).toBe(noise.reduce((x, y) => x * y, 1));
        expectClose(replaySde(drift, diffusion, u0, steps, options).y, solution.end.y, 1e-12);
        const loss = jitSync((w: W) => {
          const { y, errors } = replaySde(drift, diffusion, u0, steps, { ...options, parameters: w });
          return add(mean(square(y)), sum(mul(errors, steps.h)));
        });
        const whole = Float64Array.from([...weights.f.data(), ...weights.g.data()]);
        const at = (v: Float64Array) => loss({ f: f64(v.slice(0, 9), [3, 3]), g: f64(v.slice(9), [3, 6]) }).item();
        const slope = jitSync(grad(loss))(weights);
        expectClose(
          [slope.f, slope.g].flatMap((x) => [...x.data()]),
          centralDifferences(at, whole),
          1e-7,
        );
      }
    }
  });

  it("with one path for all rows moves equal rows alike, with one for each it does not", async () => {
    const same = f64(new Array(12).fill(0.5), [4, 3]);
    const rows = async (noise: number[]) => {
      const options = { method: "eulerHeun" as const, noise, parameters: weights, seed: 1 };
      const { end } = await solveSde(drift, diffusion, same, [0, 1], options);
      return end.y.toArray() as number[][];
    };
    const [alike, apart] = [await rows([2]), await rows([4, 2])];
    expectClose(alike[3], alike[0], 1e-13);
    expect(Math.abs(apart[3][0] - apart[0][0])).toBeGreaterThan(1e-3);
  });

  it("refuses what it cannot do", async () => {
    const solve = (options: object, g: object = diffusion) =>
      solveSde(drift, g as typeof diffusion, u0, [0, 1], { parameters: weights, ...options });
    await expect(solve({ noise: [2] })).rejects.toThrow(errorLike("UnsupportedError", /sosri .*eulerMaruyama/));
    const method = "eulerMaruyama";
    await expect(solve({ method, noise: [3, 2] })).rejects.toThrow(errorLike("ShapeError", /\[4,m\]/));
    await expect(solve({ method, noise: [] })).rejects.toThrow(errorLike("ValueError", /noise/));
    await expect(solve({ method, noise: [0] })).rejects.toThrow(errorLike("ValueError", /extent of noise/));
    await expect(solve({ method, noise: [5] })).rejects.toThrow(errorLike("ShapeError", /gave shape \[4,3,2\]/));
    const parts = solveSde(
      (_t, u: { x: Tensor }) => u,
      (_t, u: { x: Tensor }) => u,
      { x: u0 },
      [0, 1],
      { method, noise: [2] },
    );
    await expect(parts).rejects.toThrow(errorLike("UnsupportedError", /one tensor/));
    const path = BrownianPath.create(3, 0);
    await expect(solve({ method, noise: [2], path })).rejects.toThrow(errorLike("ValueError", /path has 3 .* 2/));
  });
});
