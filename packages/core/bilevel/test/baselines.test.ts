import { matmul, mul, random, square, sub, sum, type Tensor, tensor } from "@offprint/tensor-core";
import { errorLike, expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { type BilevelProblem, f2sa, maSoba, saba, soba, stocBiO, ttsa } from "../src/index.js";
import { noisyQuadratic, quadraticProblem } from "./problems.js";

const float64 = { dtype: "float64" } as const;
const { problem, minimiser } = quadraticProblem(1);
const steps = { stepSize: 0.05, lowerStepSize: 0.2 };

describe("baselines on a quadratic problem without noise", () => {
  it("stocBiO, soba, maSoba and saba reach the minimiser", async () => {
    const long = { ...steps, stepSize: 0.02, maxIterations: 3000 };
    const whole = { count: 1, batch: () => null };
    const results = [
      await stocBiO(problem, { ...long, terms: 60 }),
      await soba(problem, long),
      await maSoba(problem, long),
      await saba({ ...problem, parts: { upper: whole, lower: whole } }, long),
    ];
    for (const { x, status } of results) {
      expect(status).toBe("limit");
      expectClose(x, minimiser, 1e-6);
    }
  });

  it("ttsa and f2sa come near it", async () => {
    const slow = await ttsa(problem, { ...steps, stepSize: 0.002, terms: 30, maxIterations: 6000 });
    expectClose(slow.x, minimiser, 0.1);
    const first = await f2sa(problem, {
      ...{ stepSize: 0.01, lowerStepSize: 0.2, lowerSteps: 5, multiplier: 1, multiplierIncrement: 0.02 },
      maxIterations: 4000,
    });
    expectClose(first.x, minimiser, 0.02);
  });

  it("maSoba without momentum is soba", async () => {
    const short = { ...steps, maxIterations: 20 };
    const [a, b] = [await soba(problem, short), await maSoba(problem, { ...short, momentum: 0 })];
    expectClose(a.x, b.x, 1e-14);
  });

  it("saba keeps the gradients of a finite sum, so that constant steps lead all the way where soba's do not", async () => {
    const sums = finiteSums();
    const options = { stepSize: 0.02, lowerStepSize: 0.1, maxIterations: 3000 };
    const [variance, plain] = [await saba(sums.problem, options), await soba(sums.problem, options)];
    const distance = (x: Tensor) => Math.hypot(...sub(x, sums.minimiser).data());
    expect(distance(variance.x)).toBeLessThan(1e-6);
    expect(distance(plain.x)).toBeGreaterThan(1e-3);
    await expect(saba(problem, options)).rejects.toThrow(/has no `parts`/);
    const part = { count: 2, batch: () => null };
    const [misspelt, halved] = [{ upper: part, lower: { count: 2, batches: part.batch } }, { upper: part }];
    await expect(saba({ ...problem, parts: misspelt as never }, options)).rejects.toThrow(
      errorLike("ValueError", /saba: parts.lower.batch is undefined; give a function/),
    );
    await expect(saba({ ...problem, parts: halved as never }, options)).rejects.toThrow(
      /parts.lower.count is undefined/,
    );
  });
});

describe("problems that share functions", () => {
  /** y follows x, and is to be `target`; the functions read it through `this`. */
  class Following {
    readonly initial = { x: tensor([0], float64), y: tensor([0], float64) };
    constructor(readonly target: number) {}
    upper(_: Tensor, y: Tensor) {
      return mul(sum(square(sub(y, this.target))), 0.5);
    }
    lower(x: Tensor, y: Tensor) {
      return mul(sum(square(sub(y, x))), 0.5);
    }
  }

  it("are solved each with what it holds itself", async () => {
    const options = { stepSize: 0.1, lowerStepSize: 0.5, maxIterations: 400 };
    for (const target of [1, 3]) expectClose((await soba(new Following(target), options)).x, [target], 1e-9);
    const { initial } = new Following(0);
    const { upper, lower } = Following.prototype;
    for (const target of [5, 7]) {
      expectClose((await soba({ initial, upper, lower, target } as BilevelProblem, options)).x, [target], 1e-9);
    }
  });

  it("are summed over the parts that each has", async () => {
    const { problem: twelve } = finiteSums();
    const zero = tensor(new Float64Array(4), float64);
    const whole = { count: 1, batch: () => zero };
    const options = { stepSize: 0.02, lowerStepSize: 0.1, maxIterations: 50 };
    await saba(twelve, options);
    const one = await saba({ ...twelve, parts: { upper: whole, lower: whole } }, options);
    expectClose(one.x, (await soba(problem, options)).x, 1e-12);
  });
});

describe("counts", () => {
  it("are those of the algorithms", async () => {
    const noisy = noisyQuadratic(1).problem;
    const one = { ...steps, maxIterations: 7, refinementSteps: 4 };
    const stoc = (await stocBiO(noisy, { ...one, lowerSteps: 3, terms: 5 })).counts;
    expect(stoc).toMatchObject({ gradYG: 4 + 7 * 3, gradsF: 7, hvpYY: 7 * 5, mixedXY: 7, gradXG: 0 });
    const both = (await soba(noisy, one)).counts;
    expect(both).toMatchObject({ gradYG: 4 + 7, gradsF: 7, productsG: 7, hvpYY: 0 });
    const first = (await f2sa(noisy, { ...one, lowerSteps: 2 })).counts;
    expect(first).toMatchObject({ gradYG: 4 + 7 * 4, gradYF: 14, gradXF: 7, gradXG: 14, hvpYY: 0, mixedXY: 0 });
    const random = (await ttsa(noisy, { ...one, terms: 5 })).counts;
    expect(random).toMatchObject({ gradYG: 4 + 7, gradsF: 7, mixedXY: 7 });
    expect(random.hvpYY).toBeLessThan(7 * 5);
  });
});

describe("runs", () => {
  it("record what evaluate gives, take schedules and projections", async () => {
    const lengths: number[] = [];
    const boxed: BilevelProblem = { ...problem, project: { x: (x) => mul(x, 0) } };
    const { x, history } = await soba(boxed, {
      ...{ stepSize: (k) => 0.1 / k, lowerStepSize: 0.2, maxIterations: 5 },
      evaluate: ({ y }) => ({ first: y.data()[0] }),
      onProgress: ({ evaluation }) => void lengths.push(evaluation?.first ?? Number.NaN),
    });
    expect(lengths).toEqual(history.map(({ evaluation }) => evaluation?.first));
    expectClose(x, [0, 0, 0], 0);
    const wrong = soba(problem, { stepSize: 0.1, lowerStepSize: 0.2, maxIterations: 1, evaluate: () => 3 as never });
    await expect(wrong).rejects.toThrow(/^soba: evaluate gave 3; it must give an object of numbers/);
  });

  it("do not go on from where another method stands", async () => {
    const short = { ...steps, maxIterations: 2 };
    const { state } = await soba(problem, short);
    for (const other of [stocBiO, ttsa, maSoba]) {
      await expect(other(problem, { ...short, resume: state as never })).rejects.toThrow(
        errorLike("ValueError", /resume is a state of soba; go on by that/),
      );
    }
    const { iterations } = await soba(problem, { ...short, maxIterations: 4, resume: state });
    expect(iterations).toBe(4);
  });

  it("that diverge throw an error with the last good state, and name the iteration", async () => {
    const run = soba(problem, { stepSize: 1e150, lowerStepSize: 1e150, maxIterations: 50 });
    await expect(run).rejects.toMatchObject({
      name: "NonFiniteError",
      state: { inner: { iteration: expect.any(Number) } },
    });
    await expect(run).rejects.toThrow(/soba: iteration \d+/);
  });
});

/** Twelve parts of a quadratic problem, each with targets of its own. */
function finiteSums() {
  const base = quadraticProblem(1);
  const rng = random.rng(5);
  const shifts = rng.normal([12, 4], float64);
  const centred = sub(shifts, shifts.mean({ axis: 0 }));
  const batch = (i: number) => tensor(centred.data().slice(4 * i, 4 * i + 4) as Float64Array, float64);
  const part = { count: 12, batch };
  const finite: BilevelProblem<Tensor, Tensor, Tensor> = {
    initial: base.problem.initial,
    upper: (x, y, shift) => base.problem.upper(x, y, null).add(sum(mul(y, shift))),
    lower: (x, y, shift) => base.problem.lower(x, y, null).add(sum(mul(y, matmul(base.a, shift)))),
    sample: {
      upper: (r) => batch(r.randint([], { high: 12 }).item()),
      lower: (r) => batch(r.randint([], { high: 12 }).item()),
    },
    parts: { upper: part, lower: part },
  };
  expect(sum(square(centred.mean({ axis: 0 }))).item()).toBeLessThan(1e-28);
  return { problem: finite, minimiser: base.minimiser };
}
