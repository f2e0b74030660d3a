import { adam } from "@offprint/optim";
import {
  add,
  grad,
  jitSync,
  matmul,
  mean,
  mul,
  random,
  square,
  sum,
  type Tensor,
  tanh,
  tensor,
  tree,
} from "@offprint/tensor-core";
import { centralDifferences, errorLike, expectClose, f64 } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { trainSde } from "../src/fit/index.js";
import {
  BrownianPath,
  replaySde,
  type StochasticMethodName,
  type StochasticSteps,
  solveSde,
  sosri,
  sosri2,
  stochasticMethods,
} from "../src/index.js";

const total = (x: ArrayLike<number>) => Array.from(x).reduce((a, b) => a + b, 0);

describe("tableaus", () => {
  it("weights of the path sum to 1, those of higher integrals to 0", () => {
    for (const { noise, drift } of [sosri, sosri2]) {
      expectClose(total(drift), 1, 1e-13);
      expectClose(noise.map(total), [1, 0, 0, 0], 1e-13);
    }
  });

  const once = (name: StochasticMethodName, drift: number, diffusion: number, h: number, dW: number, dZ: number) => {
    const steps = {
      t: f64([0], [1]),
      h: f64([h], [1]),
      dW: f64([dW], [1, 1]),
      dZ: f64([dZ], [1, 1]),
      count: tensor(1, { dtype: "int32" }),
    };
    return replaySde(
      (_t, u: Tensor) => mul(u, drift),
      (_t, u: Tensor) => add(mul(u, 0), diffusion),
      f64([1.3], [1]),
      steps,
      { method: name },
    ).y.item();
  };

  it("without drift a step adds the noise exactly", () => {
    for (const name of Object.keys(stochasticMethods) as StochasticMethodName[]) {
      expectClose(once(name, 0, 0.7, 0.1, 0.42, -0.3), 1.3 + 0.7 * 0.42, 1e-14);
    }
  });

  it("without noise it is a Runge-Kutta method of order 2", () => {
    for (const name of ["sosri", "sosri2"] as const) {
      const errors = [0.1, 0.05].map((h) => Math.abs(once(name, -1, 0, h, 0.2, 0.1) - 1.3 * Math.exp(-h)));
      expect(Math.log2(errors[0] / errors[1])).toBeGreaterThan(2.8);
    }
  });
});

/** Increments of paths side by side over [0, 1], on the finest grid and joined to coarser ones. */
function joined(paths: number, finest: number, seed: string): Map<number, StochasticSteps> {
  const rng = random.rng(seed);
  let n = finest;
  const noise = () =>
    rng
      .normal([finest, paths], { dtype: "float64" })
      .data()
      .map((x) => x / Math.sqrt(finest)) as Float64Array;
  let [dW, dZ] = [noise(), noise()];
  const grids = new Map<number, StochasticSteps>();
  for (;;) {
    grids.set(n, stepsOf(n, paths, dW, dZ));
    if (n === 4) return grids;
    const [w, z] = [new Float64Array((n / 2) * paths), new Float64Array((n / 2) * paths)];
    const h = 1 / n;
    for (let i = 0; i < n / 2; i++) {
      for (let p = 0; p < paths; p++) {
        const [a, b] = [2 * i * paths + p, (2 * i + 1) * paths + p];
        const integral = (k: number) => (h * (dW[k] + dZ[k] / Math.sqrt(3))) / 2;
        const whole = integral(a) + integral(b) + h * dW[a];
        const at = i * paths + p;
        w[at] = dW[a] + dW[b];
        z[at] = Math.sqrt(3) * (whole / h - w[at]);
      }
    }
    [n, dW, dZ] = [n / 2, w, z];
  }
}

function stepsOf(n: number, paths: number, dW: Float64Array, dZ: Float64Array): StochasticSteps {
  return {
    t: f64(
      Array.from({ length: n }, (_, i) => i / n),
      [n],
    ),
    h: f64(new Array(n).fill(1 / n), [n]),
    dW: f64(dW, [n, paths]),
    dZ: f64(dZ, [n, paths]),
    count: tensor(n, { dtype: "int32" }),
  };
}

describe("strong orders, measured on joined increments", () => {
  const orders = (
    method: StochasticMethodName,
    drift: (u: Tensor) => Tensor,
    diffusion: (u: Tensor) => Tensor,
    grids: Map<number, StochasticSteps>,
    exact: Float64Array,
  ) => {
    const error = (n: number) => {
      const f = jitSync(
        (u0: Tensor, steps: StochasticSteps) =>
          replaySde(
            (_t, u: Tensor) => drift(u),
            (_t, u: Tensor) => diffusion(u),
            u0,
            steps,
            { method },
          ).y,
      );
      const y = f(f64(new Array(exact.length).fill(1), [exact.length]), grids.get(n) as StochasticSteps).data();
      return total(y.map((v, i) => Math.abs(v - exact[i]))) / exact.length;
    };
    return Math.log2(error(4) / error(32)) / 3;
  };
  const sumOf = (rows: Float64Array, paths: number) => {
    const out = new Float64Array(paths);
    rows.forEach((v, i) => {
      out[i % paths] += v;
    });
    return out;
  };

  it("geometric Brownian motion: 1.5 for SOSRI and SOSRI2, 0.5 for Euler and Maruyama, 1 for Euler and Heun in Stratonovich's sense", () => {
    const paths = 4096;
    const grids = joined(paths, 32, "geometric");
    const w = sumOf((grids.get(4) as StochasticSteps).dW.data() as Float64Array, paths);
    const ito = w.map((x) => Math.exp(1.5 - 0.5 + x));
    const slope = (name: StochasticMethodName, exact: Float64Array) =>
      orders(
        name,
        (u) => mul(u, 1.5),
        (u) => u,
        grids,
        exact,
      );
    for (const name of ["sosri", "sosri2"] as const) {
      expect(slope(name, ito)).toBeGreaterThan(1.15);
      expect(slope(name, ito)).toBeLessThan(1.6);
    }
    expect(slope("eulerMaruyama", ito)).toBeGreaterThan(0.3);
    expect(slope("eulerMaruyama", ito)).toBeLessThan(0.7);
    const stratonovich = slope(
      "eulerHeun",
      w.map((x) => Math.exp(1.5 + x)),
    );
    expect(stratonovich).toBeGreaterThan(0.8);
    expect(stratonovich).toBeLessThan(1.3);
  });

  it("an Ornstein-Uhlenbeck process sees the second path: redrawn instead of joined, the order is lost", () => {
    const paths = 4096;
    const fine = joined(paths, 64, "ornstein");
    const { dW, dZ } = fine.get(64) as StochasticSteps;
    const h = 1 / 64;
    const [w, z] = [dW.data(), dZ.data()];
    const exact = new Float64Array(paths).fill(Math.exp(-2));
    w.forEach((dw, k) => {
      const t = Math.floor(k / paths) * h;
      const integral = (h * (dw + z[k] / Math.sqrt(3))) / 2;
      exact[k % paths] += Math.exp(-2 * (1 - t)) * (dw + 2 * (h * dw - integral));
    });
    const slope = (grids: Map<number, StochasticSteps>) =>
      orders(
        "sosri",
        (u) => mul(u, -2),
        (u) => add(mul(u, 0), 1),
        grids,
        exact,
      );
    expect(slope(fine)).toBeGreaterThan(1.4);
    const other = joined(paths, 64, "another");
    const redrawn = new Map([...fine].map(([n, steps]) => [n, { ...steps, dZ: (other.get(n) as StochasticSteps).dZ }]));
    expect(slope(redrawn)).toBeLessThan(1.3);
  });
});

describe("a Brownian path", () => {
  it("keeps sums under any splitting, and variances of bridges", () => {
    const path = BrownianPath.create(4000, 3);
    const whole = path.increment(0, 1);
    const parts = [
      [0, 0.25],
      [0.25, 0.3],
      [0.3, 1],
    ].map(([a, b]) => path.increment(a, b));
    expectClose(
      whole.dW.map((_, i) => parts[0].dW[i] + parts[1].dW[i] + parts[2].dW[i]),
      whole.dW,
      1e-14,
    );
    const variance = (x: Float64Array) => total(x.map((v) => v * v)) / x.length;
    expectClose(
      parts.map(({ dW }) => variance(dW)),
      [0.25, 0.05, 0.7],
      { relative: 0.08 },
    );
    expectClose(variance(whole.dZ), 1, { relative: 0.08 });
    const correlation = total(whole.dW.map((w, i) => w * whole.dZ[i])) / 4000;
    expect(Math.abs(correlation)).toBeLessThan(0.06);
  });

  it("has no bias from refused steps; drawing them anew has", () => {
    const paths = 3000;
    const walk = (remember: boolean) => {
      let variance = 0;
      for (let p = 0; p < paths; p++) {
        const path = BrownianPath.create(1, p);
        let [t, w] = [0, 0];
        for (let _step = 0, fresh = 0; t < 1 - 1e-12; _step++) {
          let h = Math.min(0.1, 1 - t);
          let dW = path.increment(t + fresh, t + fresh + h).dW[0];
          for (let tries = 0; tries < 6 && Math.abs(dW) > 1.5 * Math.sqrt(h); tries++) {
            if (!remember) fresh += 10;
            h /= 2;
            dW = path.increment(t + fresh, t + fresh + h).dW[0];
          }
          t += h;
          w += dW;
        }
        variance += (w * w) / paths;
      }
      return variance;
    };
    expect(Math.abs(walk(true) - 1)).toBeLessThan(0.08);
    expect(walk(false)).toBeLessThan(0.7);
  });

  it("goes on from a saved state", () => {
    const path = BrownianPath.create(3, "saved");
    path.increment(0, 0.5);
    const copy = BrownianPath.restore(tree.fromJson(tree.toJson(path.state)) as never);
    expectClose(copy.increment(0.2, 2).dW, path.increment(0.2, 2).dW, 0);
  });
});

describe("solveSde", () => {
  const drift = (_t: number, [u]: Float64Array) => [1.5 * u];
  const diffusion = (_t: number, [u]: Float64Array) => [u];

  it("follows its path: tight tolerances give the exact solution on it, looser ones the same nearly", async () => {
    const path = BrownianPath.create(1, 5);
    const tight = await solveSde(drift, diffusion, [1], [0, 1], {
      path,
      relativeTolerance: 1e-3,
      absoluteTolerance: 1e-3,
    });
    const exact = Math.exp(1 + path.increment(0, 1).dW[0]);
    expectClose(tight.end.y[0], exact, { relative: 0.01 });
    const loose = await solveSde(drift, diffusion, [1], [0, 1], {
      path,
      relativeTolerance: 0.05,
      absoluteTolerance: 0.05,
    });
    expectClose(loose.end.y[0], exact, { relative: 0.1 });
    expect(loose.steps).toBeLessThan(tight.steps);
    expect(tight.status).toBe("converged");
    expect(tight.evaluations).toBe(2 + 4 * (tight.steps + tight.rejected));
  });

  it("takes spans of a few units in the last place in a step", async () => {
    for (const span of [
      [1, 1 + 2 ** -50],
      [0, 1e-300],
    ] as const) {
      for (const method of ["sosri", "eulerHeun"] as const) {
        const { end, steps } = await solveSde(
          (_t, u: number) => -u,
          (_t, u: number) => u,
          1,
          span,
          { method },
        );
        expect([end.t, steps]).toEqual([span[1], 1]);
        expectClose(end.y, 1, 1e-6);
      }
    }
  });

  it("gives states between steps linearly", async () => {
    const all = await solveSde(drift, diffusion, [1], [0, 1], { seed: 1 });
    const middle = (all.t[3] + all.t[4]) / 2;
    const some = await solveSde(drift, diffusion, [1], [0, 1], { seed: 1, saveAt: [0, middle, 1] });
    expectClose(
      some.y.map(([u]) => u),
      [1, (all.y[3][0] + all.y[4][0]) / 2, all.end.y[0]],
      1e-13,
    );
  });

  it("the replay gives what the solve gave, with the gradient of finite differences", async () => {
    const rng = random.rng("net");
    const weights = {
      f: mul(rng.normal([4, 4], { dtype: "float64" }), 0.7),
      g: mul(rng.normal([4, 4], { dtype: "float64" }), 0.3),
    };
    const u0 = rng.normal([2, 4], { dtype: "float64" });
    type W = typeof weights;
    const f = (_t: Tensor, u: Tensor, w: W) => tanh(matmul(u, w.f));
    const g = (_t: Tensor, u: Tensor, w: W) => matmul(u, w.g);
    for (const method of ["sosri", "sosri2", "eulerMaruyama", "eulerHeun"] as const) {
      const options = { method, parameters: weights, relativeTolerance: 0.1, absoluteTolerance: 0.1 };
      const solution = await solveSde(f, g, u0, [0, 1], { ...options, seed: 2, initialStep: 0.1 });
      const steps = solution.replay();
      const saveAt = [0, 0.35, 1];
      const loss = jitSync((w: W, u: Tensor) => {
        const { y, ys, errors, stiffness } = replaySde(f, g, u, steps, { ...options, parameters: w, saveAt });
        return add(add(mean(square(y)), sum(mul(ys, 0.1))), add(sum(mul(errors, steps.h)), mul(sum(stiffness), 0.1)));
      });
      const again = replaySde(f, g, u0, steps, { ...options, saveAt });
      expectClose(again.y, solution.end.y, 1e-12);
      expectClose(again.errors.data().slice(0, solution.steps), solution.errors, 1e-12);
      const whole = Float64Array.from([...weights.f.data(), ...weights.g.data(), ...u0.data()]);
      const at = (v: Float64Array) =>
        loss({ f: f64(v.slice(0, 16), [4, 4]), g: f64(v.slice(16, 32), [4, 4]) }, f64(v.slice(32), [2, 4])).item();
      const slopes = jitSync(grad((both: { w: W; u: Tensor }) => loss(both.w, both.u)))({ w: weights, u: u0 });
      expectClose(
        [slopes.w.f, slopes.w.g, slopes.u].flatMap((x) => [...x.data()]),
        centralDifferences(at, whole),
        1e-7,
      );
    }
  });

  it("the replay has gradients where drift and noise begin at 0", async () => {
    const zero = { f: f64([0]), g: f64([0]) };
    const drift = (_t: Tensor, u: Tensor, { f }: typeof zero) => mul(u, f);
    const noise = (_t: Tensor, u: Tensor, { g }: typeof zero) => mul(u, g);
    for (const method of ["sosri", "sosri2", "eulerMaruyama", "eulerHeun"] as const) {
      const options = { method, relativeTolerance: 0.1, absoluteTolerance: 0.1, parameters: zero };
      const solution = await solveSde(drift, noise, f64([2]), [0, 1], { ...options, seed: 3 });
      const path = solution.replay();
      expectClose(solution.end.y, [2], 0);
      const slopes = grad((p: typeof zero) =>
        sum(replaySde(drift, noise, f64([2]), path, { ...options, parameters: p }).y),
      )(zero);
      const moved = total(path.dW.slice([{ stop: path.count.item() }]).data());
      expectClose(
        [slopes.f, slopes.g].map((x) => x.item()),
        [2, 2 * moved],
        1e-12,
      );
    }
  });

  it("is not trained through where its steps do not suffice", async () => {
    const model = {
      drift: (_: Tensor, u: Tensor, p: Tensor) => mul(u, p),
      diffusion: (_: Tensor, u: Tensor) => mul(u, 0.1),
      initial: () => f64([1], [1]),
      loss: (_: Tensor, { y }: { readonly y: Tensor }) => sum(square(y)),
    };
    const options = { optimizer: adam(), epochs: 1, tolerance: 1e-9, span: [0, 50] as const };
    await expect(trainSde("a test", undefined, model, f64([-1], []), () => [null], options)).rejects.toThrow(
      errorLike("NonFiniteError", /epoch 0, batch 0: the equation was not solved to its end in 10000 steps/),
    );
  });

  it("refuses what it cannot do", async () => {
    const wrong = (options: object, span: [number, number] = [0, 1]) => solveSde(drift, diffusion, [1], span, options);
    await expect(wrong({}, [1, 0])).rejects.toThrow(errorLike("ValueError", /forwards/));
    await expect(wrong({ method: "milstein" })).rejects.toThrow(errorLike("ValueError", /method is "milstein"/));
    await expect(wrong({ relativeTolerance: 0 })).rejects.toThrow(errorLike("ValueError", /relativeTolerance/));
    await expect(wrong({ saveAt: [2] })).rejects.toThrow(errorLike("ValueError", /saveAt holds 2/));
    await expect(wrong({ stepSize: 0.1, initialStep: 0.1 })).rejects.toThrow(errorLike("ValueError", /stepSize/));
    const matrix = () => solveSde(drift, () => [1, 2], [1], [0, 1]);
    await expect(matrix()).rejects.toThrow(errorLike("ShapeError", /returned 2 numbers/));
    await expect(solveSde(() => [Number.NaN], diffusion, [1], [0, 1])).rejects.toThrow(
      errorLike("NonFiniteError", /t = 0/),
    );
  });
});
