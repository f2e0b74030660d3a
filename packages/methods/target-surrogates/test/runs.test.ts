import { largestDifference } from "@offprint/claims";
import { matmul, random, ShapeError, tensor, tree, ValueError } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import {
  baselines,
  estimateSmoothness,
  exactStep,
  linearModel,
  losses,
  type Metric,
  majorizeMinimize,
  OnlineSso,
  type SsoOptions,
  type SsoRecord,
  sso,
  type TargetModel,
  TargetSurrogate,
  targetLineSearch,
} from "../src/index.js";
import { double, models, rngOf, samples } from "./problems.js";

const { x, y, labels, ids } = samples("runs", 24, 3);
const logistic = losses.logistic(labels);
const { oracle } = logistic;
const run = (
  options: { readonly [option in keyof SsoOptions]?: unknown } = {},
  model: TargetModel<any, any> = linearModel(3),
) => sso(model, { x }, oracle, { eta: 1, steps: 3, ...options } as SsoOptions<any>);

describe("runs", () => {
  const metrics: Metric[] = ["euclidean", "armijo", "adagrad", "adagrad-diag", "adam"];
  it.each(metrics)("go on from a saved state as if they had not stopped: %s", async (metric) => {
    const options = {
      metric,
      steps: 9,
      batch: 8,
      schedule: "sqrt",
      experimental: true,
      inner: { solver: "armijo", steps: 2, reset: false },
    } as const;
    const whole = await run(options);
    const part = await run({ ...options, onProgress: ({ step }: SsoRecord) => (step === 5 ? "stop" : undefined) });
    expect(part.status).toBe("stopped");
    expect(part.state.iterations).toBe(5);
    const rest = await run({ ...options, resume: tree.fromJson(tree.toJson(part.state)) });
    expect(rest.params.data()).toEqual(whole.params.data());
    expect(rest.history).toEqual(whole.history);
  });

  it("end before the next step when the signal fires", async () => {
    const controller = new AbortController();
    const stopped = await run({
      steps: 50,
      signal: controller.signal,
      onProgress: ({ step }: SsoRecord) => {
        if (step === 7) controller.abort();
      },
    });
    expect(stopped.status).toBe("aborted");
    expect(stopped.history).toHaveLength(7);
    const other = await baselines.sgd(linearModel(3), { x }, oracle, {
      steps: 5,
      learningRate: 1,
      signal: controller.signal,
    });
    expect(other).toMatchObject({ status: "aborted", history: [] });
    const online = new OnlineSso(linearModel(3), { eta: 1, signal: controller.signal });
    expect(await online.observe(x, oracle)).toBeUndefined();
    expect(online.rounds).toBe(0);
  });

  it("depend on the seed by the order of the batches only", async () => {
    const [a, b, c] = await Promise.all([0, 0, 1].map((seed) => run({ seed, batch: 6, steps: 8 })));
    expect(a.params.data()).toEqual(b.params.data());
    expect(largestDifference(a.params, c.params)).toBeGreaterThan(0);
  });
});

describe("baselines", () => {
  const options = { steps: 40, learningRate: 0.5, batch: 8 };
  it.each(["sgd", "sls", "adam", "adagrad", "svrg"] as const)("lower the loss: %s", async (name) => {
    const { history } = await baselines[name](linearModel(3), { x }, oracle, options);
    expect(history[39].loss).toBeLessThan(history[0].loss);
    if (name !== "svrg") expect(history[39].gradCalls).toBe(40);
  });

  it("AdaGrad with one step size divides by the root of all squares", async () => {
    const one = await baselines.adagrad(linearModel(3), { x }, oracle, { steps: 1, learningRate: 0.5, scalar: true });
    const sgd = await baselines.sgd(linearModel(3), { x }, oracle, { steps: 1, learningRate: 1 });
    const length = Math.hypot(...sgd.params.data());
    expect(largestDifference(one.params, sgd.params.mul(0.5 / length))).toBeLessThan(1e-14);
  });

  it("SVRG has no noise at its anchor, and pays for the anchor like a pass", async () => {
    const svrg = await baselines.svrg(linearModel(3), { x }, oracle, { ...options, steps: 1 });
    const whole = await baselines.sgd(linearModel(3), { x }, oracle, { steps: 1, learningRate: 0.5 });
    expect(largestDifference(svrg.params, whole.params)).toBeLessThan(1e-14);
    expect(svrg.history[0].gradCalls).toBe(1 + 3 + 1);
  });

  it("the line search never takes a step that raises the batch's loss", async () => {
    const { history } = await baselines.sls(linearModel(3), { x }, oracle, { steps: 20, learningRate: 1000 });
    for (let t = 1; t < 20; t++) expect(history[t].loss).toBeLessThanOrEqual(history[t - 1].loss);
  });
});

describe("an unknown smoothness", () => {
  it("is estimated from probes, not below the true one where the loss is quadratic", async () => {
    const z = rngOf("z").normal([24, 1], double);
    const probes = [1, 2].map((k) => random.rng(k).normal([24, 1], double));
    const L = await estimateSmoothness(losses.squared(y).oracle, z, ids, probes);
    expect(L).toBeCloseTo(1.5, 10);
    expect(await estimateSmoothness(oracle, z, ids, probes)).toBeLessThanOrEqual(1.5 * 0.25);
    const near = probes.map((probe) => probe.mul(2 ** -900));
    expect(await estimateSmoothness(losses.squared(new Float64Array(24)).oracle, z.mul(0), ids, near)).toBeCloseTo(
      1.5,
      10,
    );
    await expect(estimateSmoothness(oracle, z, ids, [])).rejects.toThrow(/no probes/);
    await expect(estimateSmoothness(oracle, z, ids, [z.mul(0)])).rejects.toThrow(/all probes are 0/);
    await expect(estimateSmoothness(oracle, z, ids, [[1, 2]])).rejects.toThrow(ShapeError);
  });
});

describe("bad input", () => {
  it.each([
    [{ eta: 0 }, /eta is 0; it must be a finite number > 0 or "theory"/],
    [{ eta: Number.NaN }, /eta is NaN/],
    [{ eta: "theory" }, /smoothness is not given; give the loss's constant/],
    [{ steps: 0 }, /steps is 0; it must be an integer >= 1/],
    [{ batch: 25 }, /batch is 25; it must be an integer from 1 to 24/],
    [{ batch: [Int32Array.of(30)] }, /row 30 for step 0; rows must be in 0..23/],
    [{ batch: [Int32Array.of(1)] }, /no rows for step 1/],
    [{ schedule: "cosine" }, /no schedule cosine; take constant, sqrt or exponential/],
    [{ metric: "manhattan" }, /no metric manhattan; take one of euclidean/],
    [{ metric: "adam" }, /set experimental/],
    [{ metric: "newton", prox: "full", batch: 4 }, /prox "full" needs one step size/],
    [{ tolerance: 0.1, batch: 4 }, /tolerance is 0.1; it must be >= 0, and needs the batch "full"/],
    [{ inner: { steps: 0 } }, /inner: steps is 0; it must be an integer >= 1/],
    [{ inner: { tolerance: -1 } }, /tolerance is -1/],
    [{ inner: { lr: 1 } }, /inner: there is no option "lr"; did you mean "learningRate"/],
    [{ eta: 1, tol: 1 }, /there is no option "tol"; did you mean "tolerance"/],
    [{ inner: { c: 1 } }, /c is 1; it must be in \(0, 1\)/],
    [{ inner: { shrink: 1 } }, /shrink is 1/],
    [{ inner: { expand: 0.5 } }, /expand is 0.5; it must be >= 1/],
    [{ inner: { firstStep: 0 } }, /firstStep is 0/],
    [{ inner: { solver: "simplex" } }, /no solver simplex; take armijo/],
    [{ inner: { solver: "exact", ridge: -1 } }, /ridge is -1/],
    [{ inner: { solver: "fixed", learningRate: -1 } }, /learningRate is -1/],
    [{ dropLast: "no" }, /dropLast is "no"; it must be one of true, false/],
    [{ dropLast: true }, /dropLast does nothing with batch "full", which has no order to draw; leave it out/],
    [{ seed: 1 }, /seed does nothing with batch "full"/],
    [{ dropLast: false, batch: [[0], [1]] }, /dropLast does nothing with batch a list of rows/],
    [{ seed: 1, batch: [[0], [1]] }, /seed does nothing with batch a list of rows/],
    [{ metric: "adam", experimental: "no" }, /experimental is "no"/],
    [{ inner: { reset: "no" } }, /inner: reset is "no"/],
    [{ inner: { ridge: 1 } }, /ridge is of another solver than armijo; leave it out/],
    [{ inner: { solver: "lbfgs", learningRate: 1 } }, /learningRate is of another solver than lbfgs/],
    [{ inner: { solver: "exact", steps: 5 } }, /steps is of another solver than exact/],
    [{ inner: { solver: () => undefined, tolerance: 1 } }, /tolerance is of another solver than one of your own/],
    [{ inner: { solver: () => undefined } }, /the result of your solver is undefined; give \{ params, steps \}/],
    [{ inner: { solver: () => ({ params: tensor([1]), steps: 1 }) } }, /parameters of other shapes/],
    [{ inner: { solver: (_: unknown, at: object) => ({ ...at }) } }, /steps in the result of your solver is undefined/],
    [{ c: 0.3 }, /c is of the metric "armijo", and this is "euclidean"; leave it out/],
    [{ metric: "kl", newtonGuard: 1 }, /newtonGuard is of the metric "newton"/],
    [{ metric: "kl" }, /outputs are probabilities, and those of example 0 are not/],
    [{ batch: [[0.5]] }, /batch: its list 0 is no list of integers/],
    [{ batch: [1, 2, 3] }, /batch: its list 0 is no list of integers/],
    [{ metric: "armijo", c: 2 }, /c is 2; it must be in \(0, 1\)/],
  ])("is refused: %o", async (options, message) => {
    await expect(run(options)).rejects.toThrow(message);
    await expect(run(options)).rejects.toThrow(ValueError);
  });

  it("is refused where the model cannot do what is asked for", async () => {
    const { network } = models();
    await expect(run({ inner: { solver: "exact" } }, network)).rejects.toThrow(/exact solver is for linear models/);
    await expect(run({ inner: { solver: "fixed" } }, network)).rejects.toThrow(/needs learningRate/);
    const W = tensor(new Float64Array(3), { shape: [3, 1] });
    const calledLinear = [
      { params: W, linear: true, forward: (w: typeof W, at: typeof x) => matmul(at, w).add(100) },
      { params: W.cast("float32"), linear: true, forward: (w: typeof W, at: typeof x) => matmul(at, w) },
      { params: { W }, linear: true, forward: (w: { W: typeof W }, at: typeof x) => matmul(at, w.W) },
    ] as const;
    for (const model of calledLinear)
      await expect(run({}, model)).rejects.toThrow(/called linear, but params is not one/);
    const own = { ...calledLinear[0], forward: (w: typeof W, at: typeof x) => matmul(at, w) };
    expect((await run({}, own)).params.data()).toEqual((await run()).params.data());
    const flat = { params: [tensor([1])], forward: () => tensor([1, 2]) };
    await expect(run({}, flat)).rejects.toThrow(/outputs have shape \[2\]; they must be \[24, C\]/);
    expect(() => linearModel(0)).toThrow(/inputs is 0/);
    expect(() => linearModel(2, 1, { initial: [1, 2] })).toThrow(ShapeError);
  });

  it("is refused in data", async () => {
    const go = (data: any) => sso(linearModel(3), data, oracle, { eta: 1, steps: 1 });
    await expect(go({ x: tensor([]) })).rejects.toThrow(/no examples/);
    await expect(go({ x, id: [1] })).rejects.toThrow(/data: there is no option "id"; did you mean "ids"/);
    await expect(go({ x, ids: Int32Array.of(1) })).rejects.toThrow(/1 ids for 24 examples/);
    await expect(go({ x, ids: Array.from(ids, (k) => k + 0.5) })).rejects.toThrow(/data.ids is no list of integers/);
    await expect(go({ x: { a: x, b: tensor([1]) } })).rejects.toThrow(/all need the same number/);
  });

  it("is refused in what an oracle says", async () => {
    const says = (answer: any) =>
      majorizeMinimize(linearModel(3), { x }, () => answer, { eta: 1, steps: 1, smoothness: 1 });
    const fine = { loss: new Float64Array(24), grad: tensor(new Float64Array(24), { shape: [24, 1] }) };
    await expect(says({ ...fine, loss: new Float64Array(24).fill(Number.NaN) })).rejects.toThrow(
      /loss is NaN for example 0/,
    );
    await expect(says(undefined)).rejects.toThrow(/gave no loss/);
    await expect(says({ ...fine, loss: [1] })).rejects.toThrow(/loss has shape \[1\]; it must be \[24\]/);
    await expect(says({ ...fine, grad: fine.loss })).rejects.toThrow(/grad has shape \[24\]; it must be \[24,1\]/);
    await expect(says({ loss: fine.loss })).rejects.toThrow(/gave no grad/);
    await expect(sso(linearModel(3), { x }, () => fine, { eta: 1, steps: 1, metric: "newton" })).rejects.toThrow(
      /gave no curvature/,
    );
  });

  it("is refused by losses, surrogates, searches and steps", async () => {
    expect(() => losses.logistic([0, 2])).toThrow(/target 1 is 2; it must be 0 or 1/);
    expect(() => losses.squared(1)).toThrow(ShapeError);
    const z = tensor([[1, 2]]);
    const needs = { grad: true, curvature: false };
    expect(() => losses.softmax([2]).oracle(z, Int32Array.of(0), needs)).toThrow(/class of example 0 is 2/);
    expect(() => losses.squared([2]).oracle(z, Int32Array.of(0), needs)).toThrow(/y has 1 columns/);
    expect(() => losses.squared([[2, 3]]).oracle(z, Int32Array.of(4), needs)).toThrow(/no target for example 4/);
    expect(() => losses.logistic([1]).oracle(z, Int32Array.of(0), needs)).toThrow(/must have one/);
    expect(() => new TargetSurrogate([1], [1], 1)).toThrow(/both must be \[b, C\]/);
    expect(() => new TargetSurrogate(z, z, 0)).toThrow(/D is 0/);
    expect(() => new TargetSurrogate(z, z, 1, 0, "KL" as never)).toThrow(/proximity is "KL"; it must be one of "kl"/);
    expect(() => new TargetSurrogate(z, z, [1, 2])).toThrow(/D has shape \[2\]/);
    expect(() => new TargetSurrogate(z, z, 1, 0, "kl").gradZ(z)).toThrow(/differentiate value/);
    await expect(targetLineSearch(oracle, x, ids, { etaPrev: 1 })).rejects.toThrow(/must have one/);
    const column = tensor(new Float64Array(24), { shape: [24, 1] });
    await expect(targetLineSearch(oracle, column, ids, { etaPrev: 0 })).rejects.toThrow(/etaPrev is 0/);
    const W = tensor(new Float64Array(3), { shape: [3, 1] });
    expect(exactStep(W, x, column, 1).data()).toEqual(new Float64Array(3));
    let call = 0; // momentum and gradient disagree from the second call on
    const turning = () => ({ loss: new Float64Array(24), grad: column.add(call++ === 0 ? 1 : -0.1) });
    const negative = sso(linearModel(3), { x }, turning, {
      eta: 1,
      steps: 2,
      metric: "adam",
      experimental: true,
      inner: { solver: "exact" },
    });
    await expect(negative).rejects.toThrow(/needs a positive D/);
  });

  it("is refused online and by baselines", async () => {
    expect(() => new OnlineSso(linearModel(3), { eta: 1, metric: "adagrad-diag" })).toThrow(/every round has others/);
    expect(() => new OnlineSso(linearModel(3), { eta: 1, rounds: 0 })).toThrow(/rounds is 0/);
    expect(() => new OnlineSso(linearModel(3), { eta: 1, schedule: "exponential" })).toThrow(/needs rounds/);
    const go = (options: any) =>
      baselines.sls(linearModel(3), { x }, oracle, { steps: 1, learningRate: 1, ...options });
    await expect(go({ learningRate: 0 })).rejects.toThrow(/learningRate is 0/);
    await expect(go({ steps: 1.5 })).rejects.toThrow(/steps is 1.5/);
    await expect(go({ c: 0 })).rejects.toThrow(/c is 0/);
    const scalar = { steps: 1, learningRate: 1, scalar: "no" as never };
    await expect(baselines.adagrad(linearModel(3), { x }, oracle, scalar)).rejects.toThrow(/scalar is "no"/);
    await expect(sso(linearModel(3), { x }, oracle, undefined as never)).rejects.toThrow(/options is undefined/);
    const g = tensor(new Float64Array(24), { shape: [24, 1] });
    expect(() => exactStep(linearModel(3).params, x, g, undefined as never)).toThrow(/D is undefined; give one number/);
    expect(() => exactStep(linearModel(3).params, x, g, 0)).toThrow(/D has entries that are not > 0/);
  });

  it("is refused in states: of another metric, of other data, and damaged ones", async () => {
    const part = await run({ metric: "adagrad-diag", steps: 2 });
    const { inner } = part.state;
    const again = (metric: Metric, place: object) =>
      run({ metric, experimental: true, steps: 3, resume: { ...part.state, inner: { ...inner, ...place } } });
    await expect(again("adam", {})).rejects.toThrow(/a state of another metric than adam/);
    await expect(again("euclidean", {})).rejects.toThrow(/a state of another metric than euclidean/);
    const shorter = { ...inner.metric, second: new Float64Array(3) };
    await expect(again("adagrad-diag", { metric: shorter })).rejects.toThrow(/or of other data/);
    for (const name of ["metric", "calls", "step", "forwardCalls"]) {
      await expect(again("adagrad-diag", { [name]: undefined })).rejects.toThrow(/resume is damaged: it lacks counts/);
    }
    expect((await again("adagrad-diag", {})).steps).toBe(3);
    const learner = () => new OnlineSso(linearModel(3), { eta: 1, resume: { params: linearModel(3).params } as never });
    expect(learner).toThrow(/resume is damaged/);
    const sgd = await baselines.sgd(linearModel(3), { x }, oracle, { steps: 1, learningRate: 1 });
    const resume = { ...sgd.state, inner: { ...sgd.state.inner, calls: undefined as never } };
    await expect(baselines.sgd(linearModel(3), { x }, oracle, { steps: 2, learningRate: 1, resume })).rejects.toThrow(
      /resume is damaged/,
    );
  });
});
