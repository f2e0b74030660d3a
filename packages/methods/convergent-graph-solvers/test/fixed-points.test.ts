import { directed, Graph } from "@offprint/graph";
import {
  add,
  eye,
  grad,
  jit,
  linalg,
  mul,
  neg,
  ones,
  onesLike,
  random,
  sin,
  slice,
  square,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
  vjp,
  zeros,
} from "@offprint/tensor-core";
import { expectClose, expectGradient, expectSecondGradient, f64, scattered } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { contractingWeights, contraction, iterationBound, solveFixedPoint } from "../src/index.js";

const rng = random.rng("fixed points");
const normal = (shape: number[]) => rng.normal(shape, { dtype: "float64" });
const exact = { tolerance: 1e-13, gamma: 0.7 } as const;

/** Nine nodes; a parallel edge, a loop, a node without edges. */
const graph = directed(
  [
    [0, 1],
    [1, 2],
    [2, 0],
    [2, 0],
    [3, 3],
    [4, 3],
    [5, 4],
    [3, 5],
    [6, 7],
    [7, 6],
    [1, 4],
    [0, 6],
  ],
  9,
); // prettier-ignore
const logits = rng.uniform([graph.edges, 2], { dtype: "float64" });
const bias = normal([9, 2]);

/** A of one head, written out. */
function dense(weights: Tensor, head: number, flow: "incoming" | "outgoing"): Tensor {
  const a = Array.from({ length: graph.nodes }, () => new Array<number>(graph.nodes).fill(0));
  for (let e = 0; e < graph.edges; e++) {
    const [i, j] = flow === "incoming" ? [graph.targets[e], graph.sources[e]] : [graph.sources[e], graph.targets[e]];
    a[i][j] += weights.data()[2 * e + head];
  }
  return tensor(a, { dtype: "float64" });
}

describe("the fixed point", () => {
  for (const flow of ["incoming", "outgoing"] as const) {
    for (const normalise of ["degree", "attention"] as const) {
      it(`solves (I - gamma A) h = b, ${flow}, ${normalise}`, async () => {
        const weights = contractingWeights(graph, logits, { flow, normalise });
        const { h } = contraction(graph, weights, bias, { ...exact, flow });
        const run = await solveFixedPoint(graph, weights, bias, { ...exact, flow });
        const gmres = await solveFixedPoint(graph, weights, bias, { ...exact, flow, method: "gmres" });
        const compiled = await jit((a: Tensor, b: Tensor) => contraction(graph, a, b, { ...exact, flow }).h)(
          weights,
          bias,
        );
        expect([run.status, gmres.status]).toEqual(["converged", "converged"]);
        expect(run.iterations).toBeLessThanOrEqual(run.bound as number);
        for (const head of [0, 1]) {
          const a = dense(weights, head, flow);
          const solution = linalg.solve(sub(eye(9, 9, "float64"), mul(a, 0.7)), column(bias, head));
          for (const found of [h, run.x, gmres.x, compiled]) expectClose(column(found, head), solution, 1e-11);
        }
      });
    }
  }

  it("is b where gamma goes to 0, and where all logits are cut off at 0", async () => {
    const weights = contractingWeights(graph, logits);
    expectClose(contraction(graph, weights, bias, { gamma: 1e-12 }).h, bias, 1e-11);
    expectClose((await solveFixedPoint(graph, contractingWeights(graph, neg(logits)), bias)).x, bias, 0);
  });

  it("of a path with all weights 1 is that of its 3 by 3 system", () => {
    const path = directed(
      [
        [0, 1],
        [1, 2],
      ],
      3,
    ); // prettier-ignore
    const weights = contractingWeights(path, ones([2, 1], "float64"));
    const { h } = contraction(path, weights, f64([[1], [2], [3]]), { ...exact, gamma: 0.5 });
    expectClose(h, [[1], [2.5], [4.25]], 1e-12);
  });

  it("of a constant bias is c / (1 - gamma) where rows sum up to 1", () => {
    const cycle = directed(
      [
        [0, 1],
        [1, 2],
        [2, 0],
        [1, 0],
      ],
      3,
    ); // prettier-ignore
    for (const [normalise, values] of [
      ["degree", ones([4, 1], "float64")],
      ["attention", normal([4, 1])],
    ] as const) {
      const weights = contractingWeights(cycle, values, { normalise });
      expectClose(contraction(cycle, weights, mul(ones([3, 1], "float64"), 0.3), exact).h, [[1], [1], [1]], 1e-12);
    }
  });

  it("is linear in the bias, for the identity", () => {
    const weights = contractingWeights(graph, logits);
    const at = (b: Tensor) => contraction(graph, weights, b, exact).h;
    const other = normal([9, 2]);
    expectClose(at(add(bias, other)), add(at(bias), at(other)), 1e-11);
  });

  it("is as near for a bias of any unit, with defaults, by every way of solving and in either norm", async () => {
    const weights = contractingWeights(graph, logits);
    const right = contraction(graph, weights, bias, { ...exact, gamma: 0.9 }).h;
    for (const unit of [1, 1e-6, 1e-12, 1e-200, 1e200]) {
      const b = mul(bias, unit);
      for (const stopNorm of ["frobenius", "max"] as const) {
        const options = { gamma: 0.9, stopNorm };
        expectClose(contraction(graph, weights, b, options).h.div(unit), right, 1e-4);
        const run = await solveFixedPoint(graph, weights, b, options);
        expect(run.status).toBe("converged");
        expect(run.iterations).toBeLessThanOrEqual(run.bound as number);
        expectClose(run.x.div(unit), right, 1e-4);
      }
      expectClose((await solveFixedPoint(graph, weights, b, { gamma: 0.9, method: "gmres" })).x.div(unit), right, 1e-9);
    }
    const none = await solveFixedPoint(graph, weights, mul(bias, 0), { gamma: 0.9 });
    expect([none.status, none.iterations]).toEqual(["converged", 1]);
  });

  it("goes along when nodes are numbered in another way", () => {
    const order = [4, 2, 8, 0, 1, 7, 3, 6, 5];
    const moved = new Graph(
      9,
      graph.sources.map((i) => order[i]),
      graph.targets.map((i) => order[i]),
    );
    const there = contraction(moved, contractingWeights(moved, logits), permuted(bias, order), exact).h;
    expectClose(there, permuted(contraction(graph, contractingWeights(graph, logits), bias, exact).h, order), 1e-12);
  });

  it("is personalised PageRank, by its adjoint, where all weights are 1 and the state flows outwards", () => {
    const links = directed(
      [
        [0, 1],
        [0, 2],
        [1, 2],
        [2, 0],
        [3, 2],
        [3, 0],
        [4, 3],
        [2, 4],
      ],
      5,
    ); // prettier-ignore
    const gamma = 0.85;
    const weights = contractingWeights(links, ones([links.edges, 1], "float64"), { flow: "outgoing" });
    const at = (b: Tensor) => contraction(links, weights, b, { gamma, flow: "outgoing", tolerance: 1e-13 }).h;
    const [, pullback] = vjp(at, zeros([5, 1], "float64"));
    for (const start of [
      [0.2, 0.2, 0.2, 0.2, 0.2],
      [1, 0, 0, 0, 0],
    ]) {
      const ranks = pullback(f64(start.map((p) => [(1 - gamma) * p])))[0].data();
      let expected = start;
      for (let k = 0; k < 300; k++) {
        const next = start.map((p) => (1 - gamma) * p);
        for (let e = 0; e < links.edges; e++) {
          next[links.targets[e]] += (gamma * expected[links.sources[e]]) / links.degree("out")[links.sources[e]];
        }
        expected = next;
      }
      expectClose(Array.from(ranks), expected, 1e-11);
    }
  });

  it("has an adjoint: <v, (I - gamma A)^-1 u> = <(I - gamma A^T)^-1 v, u>", () => {
    const weights = contractingWeights(graph, logits);
    const [u, v] = [normal([9, 2]), normal([9, 2])];
    const [value, pullback] = vjp((b: Tensor) => contraction(graph, weights, b, exact).h, u);
    expectClose(sum(mul(v, value)), sum(mul(pullback(v)[0], u)), 1e-11);
  });

  it("contracts by gamma at most, in as many iterations as the bound says", async () => {
    const weights = contractingWeights(graph, onesLike(logits));
    const run = await solveFixedPoint(graph, weights, bias, { gamma: 0.9, stopNorm: "max", tolerance: 1e-6 });
    const changes = run.history.map((r) => r.change);
    for (let k = 1; k < changes.length; k++) expect(changes[k]).toBeLessThanOrEqual(0.9 * changes[k - 1] * (1 + 1e-6));
    expect(run.iterations).toBeLessThanOrEqual(run.bound as number);
    expect(run.rowSum).toBeCloseTo(1, 12);
    expect(iterationBound(0.9, 1e-6)).toBe(132);
  });

  it("stops at what rounding leaves, in float32", async () => {
    const [a, b] = [contractingWeights(graph, logits), mul(bias, 1000)].map((t) =>
      tensor(Float32Array.from(t.data()), { shape: t.shape }),
    );
    const run = await solveFixedPoint(graph, a, b, { gamma: 0.9, tolerance: 1e-9 });
    expect(run.status).toBe("converged");
  });
});

describe("the implicit gradient", () => {
  for (const activation of ["identity", "tanh", "relu"] as const) {
    it(`is that of differences, twice, with ${activation}`, () => {
      const values = mul(add(logits, 0.1), 0.4);
      const solve = (a: Tensor, b: Tensor) =>
        sin(contraction(graph, contractingWeights(graph, a, { squash: "sigmoid" }), b, { ...exact, activation }).h);
      expectGradient(solve, [values, bias]);
      if (activation !== "relu") expectSecondGradient((b) => solve(values, b), [scattered([9, 2])]);
    });
  }

  it("through a clip is 1 inside and at the ends, 0 outside", () => {
    const pair = directed(
      [
        [0, 1],
        [1, 0],
        [2, 1],
        [0, 2],
      ],
      3,
    ); // prettier-ignore
    const slopes = grad((x: Tensor) => sum(contractingWeights(pair, x)))(f64([[-0.5], [0], [1], [1.5]]));
    expectClose(slopes, [[0], [1], [0.5], [0]], 0);
  });

  it("is found however small the cotangent is", () => {
    const at = (scale: number) =>
      grad((b: Tensor) => mul(sum(square(contraction(graph, contractingWeights(graph, logits), b, exact).h)), scale))(
        bias,
      );
    expectClose(mul(at(1e-12), 1e12), at(1), 1e-9);
  });
});

describe("bad input", () => {
  const weights = contractingWeights(graph, logits);

  it("is refused with what to give instead", async () => {
    for (const gamma of [0, 1, -0.1, Number.NaN]) {
      expect(() => contraction(graph, weights, bias, { gamma })).toThrow(/gamma is .*above 0 and below 1/);
    }
    expect(() => contraction(graph, weights, zeros([9, 3]))).toThrow(/must be \[12, heads\] and \[9, heads\]/);
    expect(() => contractingWeights(graph, zeros([3, 2]))).toThrow(/logits have shape/);
    expect(() => contraction(graph, weights, bias, { activation: (x) => mul(x, 1.5) })).toThrow(/slope of 1.500/);
    const steep = {
      activation: (x: Parameters<typeof tanh>[0]) => mul(tanh(x), 1.2),
      allowNonContractive: true,
      gamma: 0.5,
    };
    expect(contraction(graph, weights, bias, steep).h.shape).toEqual([9, 2]);
    await expect(solveFixedPoint(graph, mul(weights, 3), bias)).rejects.toThrow(/a row of A sums up to/);
    const wild = { gamma: 0.99, allowNonContractive: true, maxIterations: 100_000 };
    await expect(solveFixedPoint(graph, mul(weights, 9), bias, wild)).rejects.toMatchObject({ name: "NonFiniteError" });
    await expect(solveFixedPoint(graph, weights, bias, { method: "gmres", activation: "tanh" })).rejects.toThrow(
      /identity/,
    );
  });
});

function column(x: Tensor, k: number): Tensor {
  return slice(x, [null, k]);
}

/** Row i of the result's row `order[i]`. */
function permuted(x: Tensor, order: readonly number[]): Tensor {
  const rows = x.toArray() as number[][];
  const out = rows.map(() => [0, 0]);
  order.forEach((to, i) => {
    out[to] = rows[i];
  });
  return f64(out);
}
