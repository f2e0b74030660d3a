import { msvr, msvrGamma } from "@offprint/bilevel";
import {
  add,
  asTensor,
  concatenate,
  eye,
  linalg,
  matmul,
  mean,
  mul,
  random,
  slice,
  square,
  sub,
  sum,
  type Tensor,
  take,
  tensor,
  zeros,
} from "@offprint/tensor-core";
import { errorLike, expectClose, failureOf } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { quadraticBed } from "../claims/quadratic-bed.js";
import {
  type BsvrbOptions,
  type BsvrbState,
  bsvrb,
  multiScaleLogistic,
  nearestPositiveDefinite,
  rsvrb,
} from "../src/index.js";
import { projectMatrices, solvePositiveDefinite } from "../src/positive-definite.js";
import { naiveBsvrb } from "./naive.js";
import { curvedProblem } from "./problems.js";

const float64 = { dtype: "float64" } as const;
const problem = curvedProblem();
const steps = { stepSize: 0.02, lowerStepSize: 0.05, alpha: 0.2, beta: 0.1, seed: 3 } as const;
/** Of a version, whose first clips eigenvalues. */
const stepsOf = (version: "v1" | "v2") => ({ ...steps, version, ...(version === "v1" && { strongConvexity: 0.1 }) });

describe("bsvrb", () => {
  for (const version of ["v1", "v2"] as const) {
    for (const blockUpdates of ["all", "sampled"] as const) {
      for (const bound of version === "v2" ? [Number.POSITIVE_INFINITY, 0.3] : [Number.POSITIVE_INFINITY]) {
        it(`${version}: rows that are computed when they are looked at are those of the naive loop (${blockUpdates} move, bound ${bound})`, async () => {
          const iterations = 16;
          const looked: Tensor[] = [];
          const ours = await bsvrb(problem, {
            ...{ ...stepsOf(version), blockUpdates, sampledBlocks: 2, maxIterations: iterations },
            ...(Number.isFinite(bound) && { linearBound: bound }),
            evaluate({ y }, iteration) {
              if (iteration % 5 === 0) looked.push(y);
              return {};
            },
          });
          const naive = naiveBsvrb(problem, {
            ...{
              version,
              iterations,
              sampled: 2,
              eta: 0.02,
              tau: 0.05,
              alpha: 0.2,
              beta: 0.1,
              least: 0.1,
              bound,
              seed: 3,
            },
            moves: blockUpdates,
          });
          expectClose(ours.y, naive.y, 1e-10);
          expectClose(ours.x, naive.x, 1e-10);
          expectClose(ours.z, naive.z as Tensor, 1e-10);
          if (version === "v2") expectClose(ours.v as Tensor, naive.v, 1e-10);
          else expectClose(ours.hessians as Tensor, naive.h, 1e-10);
          expect(looked.length).toBe(3);
          if (Number.isFinite(bound)) {
            const norms = linalg.norm(ours.v as Tensor, { axis: 1 }).data();
            expect(Math.max(...norms)).toBeLessThanOrEqual(bound * (1 + 1e-12));
            expect(Math.max(...norms)).toBeGreaterThan(0.99 * bound);
          }
        });
      }
    }
  }

  it("has the gradients themselves as estimates where all blocks and all data are sampled", async () => {
    const bed = quadraticBed(random.rng(1), { blocks: 4, rows: 12, batch: "all" });
    const states: BsvrbState[] = [];
    const xs = [bed.problem.initial.x.data()];
    await bsvrb(bed.problem, {
      ...{ ...steps, sampledBlocks: 4, maxIterations: 5, checkpoint: { save: (state) => void states.push(state) } },
      evaluate({ x }) {
        xs.push(x.data());
        return {};
      },
    });
    const wrong = bsvrb(bed.problem, { ...steps, sampledBlocks: 4, maxIterations: 1, evaluate: () => 3 as never });
    await expect(wrong).rejects.toThrow(/^bsvrb: evaluate gave 3; it must give an object of numbers/);
    for (const [t, { inner }] of states.entries()) {
      for (let i = 0; i < 4; i++) {
        const row = (all: Float64Array) => all.subarray(i * 5, i * 5 + 5);
        expectClose(row(inner.y.directions), bed.lowerGradient(i, xs[t], row(inner.y.values)), 1e-12);
      }
    }
  });

  it("comes back to the gradients by 1 - alpha in each update from other estimates", async () => {
    const bed = quadraticBed(random.rng(1), { blocks: 3, rows: 12, batch: "all" });
    const options = { ...steps, sampledBlocks: 3 };
    const { state } = await bsvrb(bed.problem, { ...options, maxIterations: 0 });
    const { inner } = state;
    const resume = {
      ...state,
      inner: { ...inner, y: { ...inner.y, directions: inner.y.directions.map((s) => s + 1) } },
    };
    let x = inner.x.data();
    const errors: number[] = [];
    await bsvrb(bed.problem, {
      ...{ ...options, maxIterations: 4, resume },
      checkpoint: {
        save({ inner: { y, x: next } }) {
          errors.push(y.directions[0] - bed.lowerGradient(0, x, y.values.subarray(0, 5))[0]);
          x = next.data();
        },
      },
    });
    for (const [k, error] of errors.entries()) expect(error).toBeCloseTo(0.8 ** (k + 1), 10);
  });

  it("has the same direction in both versions where what they track is exact", async () => {
    const bed = quadraticBed(random.rng(2), { blocks: 3, rows: 12, batch: "all" });
    const blocks = asTensor([0, 1, 2], "int32");
    const options = { ...steps, sampledBlocks: 3 };
    const [first, second] = await Promise.all(
      (["v1", "v2"] as const).map((version) =>
        bsvrb(bed.problem, { ...options, ...stepsOf(version), maxIterations: 0 }),
      ),
    );
    const { upper } = (bed.problem.full as NonNullable<typeof bed.problem.full>)(blocks);
    const slopes = [0, 1, 2].map((i) => {
      const rows = take(upper.rows, i);
      const targets = take(upper.targets, i);
      return mul(rows.transpose().matmul(mul(targets, -1)), 1 / 12); // y = 0
    });
    const v = slopes.map((slope, i) => linalg.solve(take(first.hessians as Tensor, i), slope));
    const { state } = second;
    const values = Float64Array.from(v.flatMap((row) => [...row.data()]));
    const exact = {
      ...state,
      inner: { ...state.inner, v: { ...(state.inner.v as NonNullable<typeof state.inner.v>), values } },
    };
    const a = await bsvrb(bed.problem, { ...options, ...stepsOf("v1"), maxIterations: 1, resume: first.state });
    const b = await bsvrb(bed.problem, { ...options, version: "v2", maxIterations: 1, resume: exact });
    expectClose(a.z, b.z, 1e-10);
  });

  it("takes second derivatives of the problem's own, which are those of products", async () => {
    const rng = random.rng(11);
    const examples = (n: number) => ({
      inputs: rng.normal([n, 4], float64),
      labels: [...Array(n).keys()].map((i) => (i % 3 ? 1 : -1)),
    });
    const given = multiScaleLogistic(
      { train: examples(30), validation: examples(12) },
      { scales: [1, 2, 5], weightDecay: 0.1, batchSize: 7 },
    );
    const { lowerHessian: _, ...byProducts } = given;
    for (const init of ["full", "lazy"] as const) {
      const run = (of: Omit<typeof given, "scales" | "margins" | "lowerHessian">) =>
        bsvrb(of, { ...stepsOf("v1"), init, sampledBlocks: 2, stepSize: 5, maxIterations: 20 });
      const [own, found] = [await run(given), await run(byProducts)];
      expectClose(own.hessians as Tensor, found.hessians as Tensor, 1e-12);
      expectClose(own.x, found.x, 1e-12);
      expectClose(own.y, found.y, 1e-12);
      expect(own.counts).toEqual(found.counts);
    }
  });

  it("evaluates derivatives of the sampled blocks alone, twice each", async () => {
    const sampledBlocks = 2;
    const run = async (version: "v1" | "v2", maxIterations: number) =>
      (await bsvrb(problem, { ...stepsOf(version), sampledBlocks, maxIterations })).counts;
    const [two, none] = [await run("v2", 10), await run("v2", 0)];
    expect([two.gradYG - none.gradYG, two.gradsF - none.gradsF, two.productsG - none.productsG]).toEqual([40, 40, 40]);
    expect([none.gradYG, none.gradYF]).toEqual([6, 6]);
    const [hessians, before] = [await run("v1", 10), await run("v1", 0)];
    const used = (name: "gradYG" | "gradsF" | "mixedXY" | "hvpYY") => hessians[name] - before[name];
    expect([used("gradYG"), used("gradsF"), used("mixedXY"), used("hvpYY")]).toEqual([40, 40, 40, 3 * 40]);
    const seen: number[] = [];
    await bsvrb(problem, {
      ...{ ...steps, sampledBlocks, maxIterations: 5 },
      draw(iteration) {
        const blocks = asTensor([iteration % 6, (iteration + 2) % 6], "int32");
        seen.push(...blocks.data());
        const sample = problem.sample as NonNullable<typeof problem.sample>;
        return { blocks, ...sample(random.rng(iteration), blocks) };
      },
    });
    expect(seen).toEqual([1, 3, 2, 4, 3, 5, 4, 0, 5, 1]);
  });

  it("samples every block once in a pass", async () => {
    const seen: number[] = [];
    await bsvrb(problem, {
      ...{ ...steps, sampledBlocks: 3, blockSampling: "pass", maxIterations: 4 },
      checkpoint: {
        save: ({ inner, iterations }) =>
          void seen.push(...[...inner.touched.keys()].filter((i) => inner.touched[i] === iterations)),
      },
    });
    expect(seen.length).toBe(12);
    expect(new Set(seen.slice(0, 6)).size).toBe(6);
    expect(new Set(seen.slice(6)).size).toBe(6);
  });

  it("runs from lazy beginnings, in both versions, and moves no block that it has not seen", async () => {
    for (const version of ["v1", "v2"] as const) {
      const { y, state, counts } = await bsvrb(problem, {
        ...{ ...stepsOf(version), init: "lazy", sampledBlocks: 2, maxIterations: 3 },
      });
      expect(counts.gradYG).toBe(12);
      const { known } = state.inner;
      expect(known.some((k) => k === 0)).toBe(true);
      for (const [i, k] of known.entries()) if (k === 0) expectClose(take(y, i), take(problem.initial.y, i), 0);
    }
  });

  it("takes float32, and steps that fall", async () => {
    const single = curvedProblem();
    const cast = (t: Tensor) => tensor(Float32Array.from(t.data())).reshape([...t.shape]);
    const { x, y } = single.initial;
    const { x: found, y: rows } = await bsvrb(
      { ...single, initial: { x: cast(x), y: cast(y) } },
      { ...steps, sampledBlocks: 2, maxIterations: 20, lowerStepSize: (k) => 0.05 / Math.sqrt(k) },
    );
    expect([found.dtype, rows.dtype]).toEqual(["float32", "float32"]);
    const double = await bsvrb(single, {
      ...{ ...steps, sampledBlocks: 2, maxIterations: 20, lowerStepSize: (k: number) => 0.05 / Math.sqrt(k) },
    });
    expectClose(found, double.x, 1e-4);
  });

  it("comes to the same in any unit, and keeps the v_i in a ball of any size", async () => {
    const shifts = Array.from({ length: 20 }, (_, i) => i / 20);
    const inUnit = (unit: number) => {
      const places = tensor(
        shifts.map((shift) => shift * unit),
        float64,
      ).reshape([20, 1]);
      return {
        blocks: 20,
        initial: { x: tensor([2 * unit], float64), y: zeros([20, 1], "float64") },
        upper: (_: Tensor, y: Tensor) => mul(sum(square(y), 1), 0.5),
        lower: (x: Tensor, y: Tensor, blocks: Tensor) => mul(sum(square(sub(y, add(x, take(places, blocks)))), 1), 0.5),
      };
    };
    const found = async (unit: number) => {
      const { x, v, history } = await bsvrb(inUnit(unit), {
        ...{ ...steps, sampledBlocks: 4, linearBound: 0.1 * unit, maxIterations: 60 },
      });
      expect(Math.max(...(v as Tensor).abs().data()) / unit).toBeCloseTo(0.1, 12);
      return [x.item() / unit, (history.at(-1)?.hypergradientNorm ?? Number.NaN) / unit];
    };
    const plain = await found(1);
    for (const unit of [1e-170, 1e-150, 1e150]) expectClose(await found(unit), plain, 1e-9);
  });

  it("chooses a step of the lower variables that is stable", async () => {
    const bed = quadraticBed(random.rng(5), { blocks: 20, rows: 20 });
    const { lowerStepSize: _, ...others } = steps;
    const { x } = await bsvrb(bed.problem, { ...others, sampledBlocks: 5, stepSize: 0.02, maxIterations: 600 });
    expect(bed.error(x.data())).toBeLessThan(0.6);
  });

  it("refuses lower functions that do not curve upwards", async () => {
    for (const factor of [0, -1]) {
      for (const version of ["v1", "v2"] as const) {
        const lower: typeof problem.lower = (...args) => mul(problem.lower(...args), factor);
        const run = (lowerStepSize: { lowerStepSize?: number }) =>
          failureOf(() =>
            bsvrb({ ...problem, lower }, { version, sampledBlocks: 2, maxIterations: 2, ...lowerStepSize }),
          );
        const message = /lower does not curve upwards in y.*strongly convex in y/;
        expect(await run({})).toEqual(errorLike("ValueError", message));
        expect(await run({ lowerStepSize: 0.1 })).toEqual(errorLike("ValueError", message));
      }
    }
  });

  it("refuses losses that change with the rows of other blocks, of which gradients of sums are not those of the blocks", async () => {
    for (const name of ["lower", "upper"] as const) {
      // As a mean over the batch makes it.
      const coupled: typeof problem.lower = (x, y, at, data) =>
        add(problem[name](x, y, at, data), mul(square(sub(sum(y, 1), mean(y))), 0.1));
      const message = new RegExp(`the loss that ${name} gives for block \\d changes with the rows of other blocks`);
      const run = { maxIterations: 2, sampledBlocks: 3, stepSize: 0.01, lowerStepSize: 0.01 };
      for (const method of [bsvrb, rsvrb]) {
        expect(await failureOf(() => method({ ...problem, [name]: coupled }, run))).toEqual(
          errorLike("ValueError", message),
        );
        await method(problem, run);
      }
    }
  });

  it("runs with means at steps of its own, also where only the last sample counts", async () => {
    const bed = quadraticBed(random.rng(5), { blocks: 20, rows: 20 });
    for (const alpha of [0.5, 1]) {
      const { x } = await bsvrb(bed.problem, {
        ...{ estimator: "movingAverage", alpha, sampledBlocks: 5, stepSize: 0.02, maxIterations: 600 },
      });
      expect(bed.error(x.data())).toBeLessThan(0.6);
    }
  });

  it("names what is wrong", async () => {
    const run = (options: Partial<BsvrbOptions<Tensor, Tensor>>, of: object = problem) =>
      failureOf(() => bsvrb(of as never, { ...steps, sampledBlocks: 2, maxIterations: 2, ...options } as never));
    const data = (problem.sample as NonNullable<typeof problem.sample>)(random.rng(0), asTensor([0, 1], "int32"));
    expect(await run({ alpha: 1 })).toEqual(
      errorLike("ValueError", /alpha is 1, where gamma of the theory is infinite/),
    );
    expect(await run({ draw: () => ({ blocks: [0, 6], ...data }) })).toEqual(errorLike("IndexError", /block 6/));
    expect(await run({ draw: () => ({ blocks: [1, 1], ...data }) })).toEqual(errorLike("ValueError", /twice/));
    expect(await run({ draw: () => ({ blocks: [0.5, 1], ...data }) })).toEqual(errorLike("IndexError", /block 0.5/));
    expect(await run({ draw: () => undefined as never })).toEqual(
      errorLike("ValueError", /draw: the options are undef/),
    );
    expect(await run({ draw: () => ({ blocks: [0, 1], lower: data.lower }) as never })).toEqual(
      errorLike("ValueError", /draw: there is no upper/),
    );
    expect(await run({}, { ...problem, sample: () => ({ lower: data.lower }) })).toEqual(
      errorLike("ValueError", /draws data without `upper` or `lower`/),
    );
    expect(await run({ draw: () => ({ blocks: [1], ...data }) })).toEqual(
      errorLike("ValueError", /sampledBlocks is 2/),
    );
    expect(await run({}, { ...problem, initial: { x: problem.initial.x, y: tensor([1, 2]) } })).toEqual(
      errorLike("ShapeError", /initial.y has shape \[2\]/),
    );
    expect(await run({}, { ...problem, upper: () => tensor(1) })).toEqual(
      errorLike("ShapeError", /upper gave shape \[\]/),
    );
    expect(await run({ version: "v1" }, { ...problem, lowerHessian: () => zeros([2, 3]) })).toEqual(
      errorLike("ShapeError", /lowerHessian gave shape \[2,3\] for rows \[2,3\]; it must give \[2,3, 3\]/),
    );
    expect(await run({ version: "v1" }, { ...problem, lowerHessian: [] })).toEqual(
      errorLike("ValueError", /give lowerHessian\(x, y, blocks, batch\)/),
    );
    expect(await run({}, { ...problem, sample: 3 })).toEqual(errorLike("ValueError", /give sample\(rng, blocks\)/));
    expect(await run({}, { ...problem, full: [] })).toEqual(errorLike("ValueError", /give full\(blocks\)/));
    const { sample, ...still } = problem;
    expect(await run({}, { ...still, samples: sample })).toEqual(
      errorLike("ValueError", /the problem has `samples` and no `sample`/),
    );
    expect(await run({ version: "v1" }, { ...problem, lowerHessians: () => zeros([2, 3, 3]) })).toEqual(
      errorLike("ValueError", /the problem has `lowerHessians` and no `lowerHessian`/),
    );
    expect(await run({}, { ...problem, blocks: 0 })).toEqual(errorLike("ValueError", /0 blocks/));
    const idle = async (options: object, beside: string) => {
      const [name] = Object.keys(options);
      const message = new RegExp(`${name} does nothing with ${beside}; leave it out`);
      expect(await run(options)).toEqual(errorLike("ValueError", message));
    };
    await idle({ linearBound: 1, version: "v1" }, 'version "v1"');
    await idle({ linearStepSize: 1, version: "v1" }, 'version "v1"');
    await idle({ strongConvexity: 1 }, 'version "v2"');
    await idle({ gamma: 1, estimator: "movingAverage" }, 'estimator "movingAverage"');
    await idle({ blockSampling: "pass", draw: () => ({ blocks: [0, 1], ...data }) }, "draw");
    const steep = {
      ...problem,
      lower: (...args: Parameters<typeof problem.lower>) => mul(problem.lower(...args), 1e308),
    };
    expect(await run({ lowerStepSize: undefined }, steep)).toEqual(
      errorLike("NonFiniteError", /second derivatives of lower are as large as/),
    );
    const wild = await run({ stepSize: 1e160, maxIterations: 50 });
    expect(wild).toEqual(errorLike("NonFiniteError", /diverged/));
  });
});

describe("msvr with the paper's gamma", () => {
  /** Mean over all sets of I of m blocks of the new estimate of block 0, minus h now; noise-free, exact before. */
  const bias = (blocks: number, sampled: number, alpha: number, gamma: number) => {
    const [before, now] = [tensor(2, float64), tensor(5, float64)];
    const share = sampled / blocks;
    const updated = msvr(before, now, before, alpha, gamma).item();
    return share * updated + (1 - share) * 2 - 5;
  };

  it("makes up for iterations that do not sample a block, up to what alpha leaves", () => {
    for (const [m, i, alpha] of [
      [6, 2, 0.1],
      [5, 4, 0.5],
      [4, 4, 0.3],
    ]) {
      const left = (1 - i / m) * (alpha / (1 - alpha)) * 3;
      expect(bias(m, i, alpha, msvrGamma(m, i, alpha))).toBeCloseTo(left, 12);
      expect(bias(m, i, 1, 0)).toBeCloseTo(-(1 - i / m) * 3, 12);
      expect(bias(m, i, 1e-300, 0)).toBeCloseTo(-3, 12);
    }
  });

  it("is STORM for one block, and the last value at alpha 1", () => {
    const [e, now, before] = [3, 7, 4].map((v) => tensor(v, float64));
    const alpha = 0.3;
    const next = msvr(e, now, before, alpha, msvrGamma(1, 1, alpha));
    expectClose(sub(next, now), mul(sub(e, before), 1 - alpha), 1e-14);
    expectClose(msvr(e, now, before, 1, 0), now, 0);
  });
});

describe("nearestPositiveDefinite", () => {
  it("is idempotent, leaves what is inside, and bounds eigenvalues", () => {
    const a = random.rng(2).normal([4, 3, 3], float64);
    const once = nearestPositiveDefinite(a, 0.4);
    expectClose(nearestPositiveDefinite(once, 0.4), once, 1e-12);
    expect(Math.min(...linalg.eigvalsh(once).data())).toBeGreaterThanOrEqual(0.4 - 1e-12);
    expectClose(once, once.transpose([0, 2, 1]), 1e-15);
  });

  it("is computed with eigenvalues only where some are too small", () => {
    const rng = random.rng(4);
    const a = rng.normal([5, 6, 6], float64);
    const inside = add(matmul(a, a.transpose([0, 2, 1])), eye(6, 6, "float64"));
    const all = concatenate([inside, a, sub(inside, mul(eye(6, 6, "float64"), 5))], 0);
    const found = tensor(projectMatrices(all, 0.3), { shape: [15, 6, 6] });
    expectClose(found, nearestPositiveDefinite(all, 0.3), 1e-12);
    expectClose(slice(found, [{ stop: 5 }]), inside, 1e-15);
    expect(() => nearestPositiveDefinite(all, Number.NaN)).toThrow(errorLike("ValueError", /least is NaN/));
    expect(projectMatrices(tensor([[[Number.NaN]]], float64), 0.3)).toEqual(Float64Array.of(Number.NaN));
  });
});

describe("solvePositiveDefinite", () => {
  it("replaces right sides by solutions, where the matrix has no Cholesky factor too", () => {
    const a = random.rng(6).normal([7, 7], float64);
    const definite = add(matmul(a, a.transpose()), eye(7, 7, "float64"));
    for (const matrix of [definite, sub(definite, mul(eye(7, 7, "float64"), 6))]) {
      const rights = [1, 2].map((seed) => random.rng(seed).normal([7], float64));
      const solved = rights.map((right) => Float64Array.from(right.data()));
      solvePositiveDefinite(Float64Array.from(matrix.data()), 7, solved);
      for (const [k, x] of solved.entries()) expectClose(matmul(matrix, tensor(x)), rights[k], 1e-12);
    }
  });
});
