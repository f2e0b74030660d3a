import { type Schedule, sgd } from "@offprint/optim";
import { abs, add, mul, random, sum, type Tensor, tensor, valueAndGrad } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { type RefineRecord, schedules, type TrainAndRefineResult, trainAndRefine } from "../src/index.js";

const T = 60;
const noises = (() => {
  const rng = random.rng(2);
  const strength = (t: number) => (t < 15 ? 20 : 1);
  return Array.from({ length: T }, (_, t) => rng.normal([4], { std: strength(t), dtype: "float64" }));
})();
const lossOf = valueAndGrad((x: Tensor) => sum(abs(x)));

/** |x|_1 with gradients that are noisy at first. */
const problem = {
  initial: tensor(new Float64Array([1, 1, 1, 1])),
  lossAndGradients(x: Tensor, step: number) {
    const [loss, gradients] = lossOf(x);
    return { loss, gradients: add(gradients, noises[step % T]) };
  },
};
const evaluate = (x: Tensor) => sum(abs(x)).item();
const rates = [0.001, 0.01, 0.03, 0.1, 0.3];

/** The parts of a procedure that was followed to its end. */
function whole<P>({ base, refined, schedule, rounds }: TrainAndRefineResult<P>) {
  if (base === undefined || refined === undefined || schedule === undefined) throw new Error("it did not end");
  return { base, refined, schedule, rounds };
}

describe("the whole procedure", () => {
  it("tunes linear decay, refines its norms, and tunes the peak anew", async () => {
    const seen: RefineRecord[] = [];
    const options = { optimizer: "sgd", learningRate: rates, steps: T, evaluate } as const;
    const result = whole(await trainAndRefine(problem, { ...options, onProgress: (p) => seen.push(p) }));
    expect([...result.base.multipliers]).toEqual([...schedules.linear(T)]);
    expect(rates).toContain(result.base.learningRate);
    expect(result.base.norms.l2.length).toBe(T);
    expect(result.base.score).toBe(
      Math.min(...seen.filter(({ phase }) => phase === "linear").map(({ score }) => score)),
    );
    expect(result.refined.score).toBe(Math.min(...seen.filter(({ phase }) => phase === "refined").map((p) => p.score)));
    expect(result.refined.score).toBeLessThan(result.base.score / 2);
    expect(evaluate(result.refined.params)).toBe(result.refined.score);
    expect(result.schedule.multipliers[0]).toBeLessThan(0.05);
    // The first five refined peaks are half octaves around the ratio of the theoretical ones.
    const first = seen.filter(({ phase }) => phase === "refined").slice(0, 5);
    const start = result.base.learningRate * result.schedule.learningRateRatio;
    first.forEach(({ learningRate }, i) => {
      expect(learningRate / (start * 2 ** ((i - 2) / 2))).toBeCloseTo(1, 12);
    });
    // The search does not end at an edge.
    const refinedRates = seen.filter(({ phase }) => phase === "refined").map(({ learningRate }) => learningRate);
    expect(result.refined.learningRate).toBeGreaterThan(Math.min(...refinedRates));
    expect(result.refined.learningRate).toBeLessThan(Math.max(...refinedRates));
  });

  it("refines Adam from l1 norms, at the old peak", async () => {
    const options = { optimizer: "adam", learningRate: 0.05, steps: T, evaluate, learningRateFactors: [1] } as const;
    const { base, refined, schedule } = whole(await trainAndRefine(problem, options));
    expect(refined.learningRate).toBe(base.learningRate);
    expect(schedule.learningRateRatio).toBe(1);
    expect([...refined.multipliers]).toEqual([...schedule.multipliers]);
  });

  it("goes on for several rounds, each from the norms of the one before", async () => {
    const options = {
      optimizer: (rate: Schedule) => sgd({ learningRate: rate, momentum: 0.5 }),
      learningRate: 0.01,
      steps: T,
    };
    const { rounds, refined } = await trainAndRefine(problem, {
      ...options,
      rounds: 2,
      learningRateFactors: [1, 2],
      evaluate,
    });
    expect(rounds.length).toBe(2);
    expect(rounds[1].run).toBe(refined);
    expect(rounds[1].schedule.multipliers).not.toEqual(rounds[0].schedule.multipliers);
  });

  it("scores by further batches where nothing else is given", async () => {
    const { base } = whole(
      await trainAndRefine(problem, {
        optimizer: "sgd",
        learningRate: 0.01,
        steps: T,
        learningRateFactors: [1],
      }),
    );
    expect(base.score).toBeCloseTo(sum(abs(base.params)).item(), 12);
  });

  it("passes over rates at which a run diverges", async () => {
    const steep = {
      initial: tensor(new Float64Array([1])),
      lossAndGradients(x: Tensor) {
        const [loss, gradients] = valueAndGrad((y: Tensor) => sum(mul(y, mul(y, mul(y, y)))))(x);
        return { loss, gradients };
      },
    };
    const options = { optimizer: "sgd", steps: 30, learningRateFactors: [1, 1e6] } as const;
    const { base, refined } = whole(await trainAndRefine(steep, { ...options, learningRate: [1e6, 0.1] }));
    expect(base.learningRate).toBe(0.1);
    expect(Number.isFinite(refined.score)).toBe(true);
    await expect(trainAndRefine(steep, { ...options, learningRate: 1e6 })).rejects.toThrow(
      /every linear-decay run diverged/,
    );
  });

  it("diverging everywhere is a NonFiniteError that can be gone on from", async () => {
    const nowhere = { initial: tensor([1]), lossAndGradients: () => ({ loss: Number.NaN, gradients: tensor([1]) }) };
    const run = trainAndRefine(nowhere, { optimizer: "sgd", learningRate: [1, 2], steps: 5 });
    await expect(run).rejects.toMatchObject({ name: "NonFiniteError", state: { history: [{ score: Infinity }] } });
  });

  it("an aborted run keeps what it has", async () => {
    const controller = new AbortController();
    const options = { optimizer: "sgd", learningRate: rates, steps: T, evaluate } as const;
    const early = await trainAndRefine(problem, {
      ...options,
      signal: controller.signal,
      onProgress: ({ runs }) => (runs === 2 ? controller.abort() : undefined),
    });
    expect(early.status).toBe("aborted");
    expect(early.base?.score).toBe(Math.min(...early.history.map(({ score }) => score)));
    expect(evaluate(early.params)).toBe(early.base?.score);
    expect(early.refined).toBeUndefined();
    expect(early.schedule).toBeUndefined();
    const late = await trainAndRefine(problem, {
      ...options,
      onProgress: ({ phase }) => (phase === "refined" ? "stop" : undefined),
    });
    expect(late.status).toBe("stopped");
    expect(late.rounds).toHaveLength(1);
    expect(late.schedule?.multipliers).toEqual(late.refined?.multipliers);
  });

  it("rejects options that cannot be", async () => {
    const options = { optimizer: "sgd", learningRate: 0.1, steps: T } as const;
    await expect(trainAndRefine(problem, { ...options, steps: 0 })).rejects.toThrow(/steps is 0/);
    const figures = () => ({ loss: 1 }) as never;
    await expect(trainAndRefine(problem, { ...options, evaluate: figures })).rejects.toThrow(
      /evaluate gave an object; it must give a number/,
    );
    await expect(trainAndRefine(problem, { ...options, rounds: 0 })).rejects.toThrow(/rounds is 0/);
    await expect(trainAndRefine(problem, { ...options, learningRate: [] })).rejects.toThrow(/learningRate/);
    await expect(trainAndRefine(problem, { ...options, learningRate: -1 })).rejects.toThrow(/learningRate is -1/);
    await expect(trainAndRefine(problem, { ...options, optimizer: "rprop" as "sgd" })).rejects.toThrow(/"rprop"/);
  });
});
