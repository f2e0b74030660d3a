import { condition, matern } from "@offprint/gaussian-process";
import { add, diag, full, linalg, matmul, random, type Tensor, tensor, transpose } from "@offprint/tensor-core";
import { expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { type BlackBox, type Client, type FzoosOptions, fedZo, fourierSurrogate, fzoos } from "../src/index.js";

const [d, N] = [3, 3];
const centres = [0.2, 0.5, 0.9];
const curvatures = [1, 2, 0.5];
const quadratics = centres.map(
  (c, i) => (x: Float64Array) => x.reduce((sum, v, k) => sum + curvatures[i] * (1 + k) * (v - c) ** 2, 0),
);
const initial = [0.8, 0.1, 0.4];
const few = { features: 40, maxLocalQueries: 30, maxFeatureQueries: 40 };
const small: FzoosOptions = {
  ...few,
  localSteps: 3,
  maxIterations: 3,
  initialQueries: 4,
  active: { local: { count: 2, candidates: 6 }, server: { count: 5, candidates: 10 } },
};
const points = (seed: number, count: number, around: Float64Array): Float64Array[] => {
  const offsets = random.rng(seed).uniform([count, d], { low: -0.02, high: 0.02, dtype: "float64" });
  return (offsets.toArray() as number[][]).map((row) => Float64Array.from(row, (v, k) => around[k] + v));
};
const flat = (rows: readonly Float64Array[]) =>
  tensor(
    rows.map((row) => Array.from(row)),
    { dtype: "float64" },
  );

/** The algorithm of the paper, as it is written, with exact processes and the primal form of the regression. */
function reference(
  rounds: number,
  steps: number,
  learningRate: number,
  gamma: number,
): { path: number[][]; weights: Tensor } {
  const fourier = fourierSurrogate(d, { features: few.features, seed: 5 });
  const data = quadratics.map(() => ({ x: [] as Float64Array[], y: [] as number[] }));
  const query = (i: number, x: Float64Array) => {
    data[i].x.push(x);
    data[i].y.push(quadratics[i](x));
  };
  const scaled = (y: number[]) => {
    const [least, most] = [Math.min(...y), Math.max(...y)];
    return { t: y.map((v) => (v - least) / (most - least)), range: most - least };
  };
  const F = (x: Float64Array) => quadratics.reduce((sum, f) => sum + f(x), 0) / N;
  let x = Float64Array.from(initial);
  let global: Tensor | undefined;
  let own: Tensor[] = [];
  const path: number[][] = [];
  quadratics.forEach((_, i) => {
    for (const point of points(1, 4, x)) query(i, point);
  });
  for (let r = 0; r < rounds; r++) {
    const ends = quadratics.map((_, i) => {
      let z = x;
      query(i, z);
      let [m, v] = [new Float64Array(d), new Float64Array(d)];
      for (let t = 0; t < steps; t++) {
        const { t: targets, range } = scaled(data[i].y);
        const process = condition(matern(), flat(data[i].x), targets, { noise: 1e-6 });
        const g = Float64Array.from(
          process
            .gradient(flat([z]))
            .mul(range)
            .data(),
        );
        if (global !== undefined) {
          const [everybody, mine] = [
            fourier.gradient(global, tensor(z)).data(),
            fourier.gradient(own[i], tensor(z)).data(),
          ];
          for (let k = 0; k < d; k++) g[k] += gamma * (everybody[k] - mine[k]);
        }
        m = m.map((each, k) => 0.9 * each + 0.1 * g[k]);
        v = v.map((each, k) => 0.999 * each + 0.001 * g[k] ** 2);
        z = z.map((each, k) => {
          const [mean, square] = [m[k] / (1 - 0.9 ** (t + 1)), v[k] / (1 - 0.999 ** (t + 1))];
          return each - (learningRate * mean) / (Math.sqrt(square) + 1e-8);
        });
        query(i, z);
        if (t < steps - 1) for (const point of points(100 + 10 * r + t, 2, z)) query(i, point);
      }
      return z;
    });
    const next = x.map((_, k) => ends.reduce((sum, z) => sum + z[k] / N, 0));
    if (F(next) < F(x)) x = next;
    own = quadratics.map((_, i) => {
      query(i, x);
      for (const point of points(1000 + r, 5, x)) query(i, point);
      const { t, range } = scaled(data[i].y);
      const phi = fourier.features(flat(data[i].x));
      const normal = add(matmul(transpose(phi), phi), diag(full([few.features], 1e-6, "float64")));
      return linalg.solve(normal, matmul(transpose(phi), tensor(t, { dtype: "float64" }))).mul(range);
    });
    global = own.reduce((a, b) => a.add(b)).div(N);
    path.push(Array.from(x));
  }
  return { path, weights: global! };
}

describe("rounds of FZooS", () => {
  it("are those of the paper's algorithm", async () => {
    const clients = quadratics.map(
      (blackBox): Client => ({
        blackBox,
        points: {
          initial: (x) => flat(points(1, 4, x)),
          local: (round, step, z) => flat(points(100 + 10 * round + step, 2, z)),
          server: (round, x) => flat(points(1000 + round, 5, x)),
        },
      }),
    );
    const options = { ...few, maxLocalQueries: 60, maxFeatureQueries: 60, localSteps: 3, maxIterations: 2, seed: 5 };
    const optimizer = { kind: "adam", learningRate: 0.02 } as const;
    const { history, weights } = await fzoos({ clients, initial }, { ...options, optimizer, gamma: 0.5 });
    const expected = reference(2, 3, 0.02, 0.5);
    expectClose(
      history.map(({ x }) => Array.from(x)),
      expected.path,
      1e-6,
    );
    expectClose(weights, expected.weights, { ofLargest: 1e-3 });
  });

  it("with one client, or equal ones, the correction is nothing", async () => {
    const alone = { clients: [quadratics[0]], initial };
    const same = { clients: [quadratics[0], quadratics[0]], initial };
    const [one, without, two] = [
      await fzoos(alone, small),
      await fzoos(alone, { ...small, correction: "none" }),
      await fzoos(same, small),
    ];
    expect(one.x.toArray()).toEqual(without.x.toArray());
    expectClose(two.x, one.x, 1e-10);
  });

  it("with gamma 0 they are those without correction", async () => {
    const problem = { clients: quadratics, initial };
    const [zero, without] = [
      await fzoos(problem, { ...small, gamma: 0 }),
      await fzoos(problem, { ...small, correction: "none" }),
    ];
    expect(zero.x.toArray()).toEqual(without.x.toArray());
    expect((await fzoos(problem, small)).x.toArray()).not.toEqual(zero.x.toArray());
  });

  it("do not depend on the order of the clients", async () => {
    const there = await fzoos({ clients: quadratics, initial, weights: [0.5, 0.2, 0.3] }, small);
    const back = await fzoos({ clients: [...quadratics].reverse(), initial, weights: [0.3, 0.2, 0.5] }, small);
    expectClose(back.x, there.x, 1e-7);
    expectClose(back.objective, there.objective, 1e-7);
  });

  it("do not see a constant that is added to the values", async () => {
    const shifted = quadratics.map((f, i) => (x: Float64Array) => f(x) + 100 * (i + 1));
    const [plain, moved] = [
      await fzoos({ clients: quadratics, initial }, small),
      await fzoos({ clients: shifted, initial }, small),
    ];
    expectClose(moved.x, plain.x, 1e-8);
  });

  it("of SGD scale with the values", async () => {
    const clients = quadratics.map((f) => (x: Float64Array) => 7 * f(x));
    const steps = async (problem: object, learningRate: number) => {
      const optimizer = { kind: "sgd", learningRate } as const;
      return (await fzoos({ clients: quadratics, initial, ...problem }, { ...small, maxIterations: 1, optimizer })).x;
    };
    expectClose(await steps({ clients }, 0.001), await steps({}, 0.007), 1e-9);
  });

  it("of Adam do not see the unit of the values", async () => {
    const short = { maxIterations: 2, localSteps: 3 };
    for (const run of [
      (clients: readonly BlackBox[]) => fzoos({ clients, initial }, { ...small, ...short }),
      (clients: readonly BlackBox[]) => fedZo({ clients, initial }, short),
    ]) {
      const plain = await run(quadratics);
      for (const unit of [1e-12, 1e9]) {
        const clients = quadratics.map((f) => (x: Float64Array) => unit * f(x));
        const { x, objective } = await run(clients);
        expectClose(x, plain.x, 1e-7);
        expectClose(objective / unit, plain.objective, 1e-6);
      }
    }
  });

  it("the posterior's correction is nearly that of many features", async () => {
    const problem = { clients: quadratics, initial };
    const options = { ...small, maxLocalQueries: 80, maxFeatureQueries: 80, kernel: "squaredExponential" } as const;
    const [exact, features] = [
      await fzoos(problem, { ...options, correction: "posterior" }),
      await fzoos(problem, { ...options, features: 1000 }),
    ];
    expectClose(features.x, exact.x, 5e-3);
    expect(exact.weights).toBe(null);
  });

  it("in a box of one's own they are those in the unit box", async () => {
    const wide = quadratics.map((f) => (x: Float64Array) => f(x.map((v) => (v + 3) / 5)));
    const unit = await fzoos({ clients: quadratics, initial, bounds: [0, 1] }, small);
    const far = { clients: wide, initial: initial.map((v) => 5 * v - 3), bounds: [-3, [2, 2, 2]] as const };
    expectClose((await fzoos(far, small)).x, unit.x.mul(5).sub(3), 1e-7);
  });

  it("near a side of the box nothing is asked beyond it", async () => {
    const asked: number[] = [];
    const blackBox = (x: Float64Array) => {
      asked.push(...x);
      return x.reduce((sum, v) => sum + v, 0);
    };
    const problem = { clients: [blackBox], initial: [0.01, 0.02, 0], bounds: [0, 1] } as const;
    const { x } = await fzoos(problem, small);
    expect(Math.min(...asked)).toBe(0);
    expectClose(x, [0, 0, 0], 1e-12);
    asked.length = 0;
    const { objective } = await fedZo(problem, { localSteps: 3, maxIterations: 3 });
    expect(Math.min(...asked)).toBe(0);
    expect(objective).toBeLessThan(0.03);
  });
});

describe("queries", () => {
  it("are as many as the formula says, and no point is asked twice but where a round begins", async () => {
    const seen = quadratics.map(() => new Map<string, number>());
    const clients = quadratics.map((f, i) => (x: Float64Array) => {
      seen[i].set(x.join(), (seen[i].get(x.join()) ?? 0) + 1);
      return f(x);
    });
    const { history, queries, checks } = await fzoos({ clients, initial }, small);
    const perRound = 1 + 3 + 2 * 2 + 1 + 5;
    expect(history.map((record) => record.queries)).toEqual([1, 2, 3].map((r) => N * (4 + r * perRound)));
    expect([queries, checks]).toEqual([N * (4 + 3 * perRound), N * 4]);
    const starts = new Set([initial.join(), ...history.map(({ x }) => x.join())]);
    for (const places of seen) {
      expect([...places.values()].reduce((a, b) => a + b, 0)).toBe((queries + checks) / N);
      for (const [place, times] of places) if (!starts.has(place)) expect(times).toBe(1);
    }
  });

  it("of the baselines are q + 1 for a gradient", async () => {
    const run = async (correction: "none" | "proximal" | "scaffold1" | "scaffold2") =>
      (await fedZo({ clients: quadratics, initial }, { correction, maxIterations: 2, localSteps: 4 })).queries;
    const plain = N * 2 * 4 * (d + 1);
    expect([await run("none"), await run("proximal"), await run("scaffold2")]).toEqual([plain, plain, plain]);
    expect(await run("scaffold1")).toBe(N * 2 * 5 * (d + 1));
  });

  it("end the run before there are too many", async () => {
    const perRound = N * 14;
    const { iterations, status, queries } = await fzoos(
      { clients: quadratics, initial },
      { ...small, maxQueries: 4 * N + 2 * perRound + 1 },
    );
    expect([iterations, status, queries]).toEqual([2, "limit", 4 * N + 2 * perRound]);
  });

  it("active ones are those of the largest uncertainty", async () => {
    const { mostUncertain } = await import("../src/active-queries.js");
    const { trajectorySurrogate } = await import("../src/index.js");
    const surrogate = trajectorySurrogate(flat(points(1, 8, Float64Array.from(initial))), [1, 3, 2, 5, 4, 1, 2, 3]);
    const candidates = points(2, 20, Float64Array.from(initial));
    const scores = Array.from(surrogate.uncertainty(flat(candidates)).data());
    const chosen = mostUncertain(surrogate, candidates, 6);
    const least = Math.min(...chosen.map((each) => scores[candidates.indexOf(each)]));
    expect(chosen.length).toBe(6);
    expect(
      candidates.filter((each) => !chosen.includes(each)).every((each) => scores[candidates.indexOf(each)] <= least),
    ).toBe(true);
  });
});

describe("the baselines", () => {
  const exact = { directions: d, radius: 1e-4, optimizer: { kind: "sgd", learningRate: 0.01 }, localSteps: 1 } as const;
  const slope = (i: number, x: readonly number[]) => x.map((v, k) => 2 * curvatures[i] * (1 + k) * (v - centres[i]));
  const mean = (vectors: number[][]) => vectors[0].map((_, k) => vectors.reduce((sum, v) => sum + v[k] / N, 0));

  it("with as many directions as coordinates take the gradient's step", async () => {
    const { x } = await fedZo({ clients: quadratics, initial }, { ...exact, maxIterations: 1 });
    const gradient = mean([0, 1, 2].map((i) => slope(i, initial)));
    expectClose(
      x,
      initial.map((v, k) => v - 0.01 * gradient[k]),
      1e-5,
    );
  });

  it("SCAFFOLD moves all clients along the mean gradient", async () => {
    const options = { ...exact, correction: "scaffold1", globalStep: 1, safeguard: false } as const;
    const { x } = await fedZo({ clients: quadratics, initial }, { ...options, maxIterations: 1 });
    const gradient = mean([0, 1, 2].map((i) => slope(i, initial)));
    expectClose(
      x,
      initial.map((v, k) => v - 0.01 * gradient[k]),
      1e-5,
    );
  });

  it("FedProx pulls towards where the round began", async () => {
    const options = { ...exact, localSteps: 2, safeguard: false, maxIterations: 1 } as const;
    const { x } = await fedZo({ clients: [quadratics[0]], initial }, { ...options, correction: "proximal" });
    const once = initial.map((v, k) => v - 0.01 * slope(0, initial)[k]);
    const twice = once.map((v, k) => v - 0.01 * (slope(0, once)[k] + v - initial[k]));
    expectClose(x, twice, 1e-5);
  });

  it("with few directions the mean of estimates is the gradient", async () => {
    const total = new Float64Array(d);
    const runs = 150;
    for (let seed = 0; seed < runs; seed++) {
      const options = { ...exact, directions: 1, maxIterations: 1, safeguard: false, seed };
      const { x } = await fedZo({ clients: [quadratics[1]], initial }, options);
      x.data().forEach((v, k) => {
        total[k] += (initial[k] - v) / 0.01 / runs;
      });
    }
    const gradient = slope(1, initial);
    expectClose(total, gradient, { absolute: 0.35 * Math.hypot(...gradient) });
  });

  it("the safeguard keeps the better point", async () => {
    const far = { ...exact, optimizer: { kind: "sgd", learningRate: 5 } as const, maxIterations: 1 };
    const kept = await fedZo({ clients: quadratics, initial }, far);
    expect([kept.history[0].accepted, kept.x.toArray()]).toEqual([false, initial]);
    const gone = await fedZo({ clients: quadratics, initial }, { ...far, safeguard: false });
    expect(gone.history[0].accepted).toBe(true);
    expect(gone.objective).toBeGreaterThan(kept.objective);
  });
});
