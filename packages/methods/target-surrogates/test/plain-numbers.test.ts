import { tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { exactStep, linearModel, losses, majorizeMinimize, sso, TargetSurrogate } from "../src/index.js";

/** As float32 these are all the same number. */
const times = [1700000000, 1700000001, 1700000002, 1700000003];
const column = (values: readonly number[]) => tensor(Float64Array.from(values), { shape: [values.length, 1] });

describe("plain arrays are read in float64", () => {
  it("as targets and answers of oracles", async () => {
    const oracles = [losses.squared(times).oracle, losses.squared(column(times)).oracle];
    const answers = await Promise.all(
      oracles.map((each) => each(column([0, 0, 0, 0]), Int32Array.of(0, 1, 2, 3), { grad: true, curvature: false })),
    );
    expect(answers[0]).toEqual(answers[1]);
    const grads: number[] = [];
    const plain = () => ({ loss: times, grad: times.map((value) => [value]) });
    const run = (oracle: typeof plain) =>
      majorizeMinimize(linearModel(1), { x: column([1, 0, 0, 0]) }, oracle, {
        eta: 1,
        steps: 1,
        inner: { solver: "exact" },
      });
    grads.push((await run(plain)).params.item());
    expect(grads).toEqual([-1700000000]);
    expect((await run(plain)).history[0].loss).toBe(1700000001.5);
  });

  it("as inputs, initial weights and parts of surrogates", async () => {
    const options = { eta: 1, steps: 1, inner: { solver: "exact" } } as const;
    const x = times.map((value) => [value, 1]);
    const { oracle } = losses.squared([0, 1, 2, 3]);
    const plain = await sso(linearModel(2), { x }, oracle, options);
    const typed = await sso(
      linearModel(2),
      { x: tensor(Float64Array.from(x.flat()), { shape: [4, 2] }) },
      oracle,
      options,
    );
    expect(plain.params.data()).toEqual(typed.params.data());
    expect(linearModel(1, 1, { initial: [[1700000001]] }).params.item()).toBe(1700000001);
    expect(new TargetSurrogate([[1700000001]], [[1]], 1).value([[1700000003]]).item()).toBe(4);
    expect(exactStep(column([0]), [[1700000001]], column([1700000001]), 1).item()).toBeCloseTo(-1, 14);
  });

  it("in typed errors for what is missing", async () => {
    const { oracle } = losses.squared(times);
    const run = (...args: unknown[]) => (sso as (...given: unknown[]) => Promise<unknown>)(...args);
    await expect(run(undefined, { x: times }, oracle, { eta: 1, steps: 1 })).rejects.toThrow(/the model must be/);
    await expect(run(linearModel(1), undefined, oracle, { eta: 1, steps: 1 })).rejects.toThrow(/data.x is undefined/);
    await expect(run(linearModel(1), { x: times }, null, { eta: 1, steps: 1 })).rejects.toThrow(/oracle is null/);
  });
});

describe("a run that meets what is not finite", () => {
  it("keeps the last good state, from which it can go on", async () => {
    const { oracle } = losses.squared([1, 2]);
    let calls = 0;
    const failing: typeof oracle = (z, ids, needs) =>
      ++calls === 3 ? { loss: [Number.NaN, 0], grad: [[0], [0]] } : oracle(z, ids, needs);
    const data = { x: [[1], [2]] };
    const options = { eta: 0.5, steps: 4, inner: { steps: 1 } };
    const error = await sso(linearModel(1), data, failing, options).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: "NonFiniteError", state: { iterations: 2 } });
    const { state } = error as { state: NonNullable<Parameters<typeof sso>[3]["resume"]> };
    const rest = await sso(linearModel(1), data, oracle, { ...options, resume: state as never });
    const whole = await sso(linearModel(1), data, oracle, options);
    expect(rest.params.data()).toEqual(whole.params.data());
    expect(rest.history).toEqual(whole.history);
  });

  it("is not asked again for what it paid for before the signal fired", async () => {
    const { oracle } = losses.squared([1, 2]);
    const controller = new AbortController();
    let calls = 0;
    const counted: typeof oracle = (z, ids, needs) => {
      if (++calls === 2) controller.abort();
      return oracle(z, ids, needs);
    };
    const data = { x: [[1], [2]] };
    const options = { eta: 0.5, steps: 3, inner: { steps: 1 } };
    const part = await sso(linearModel(1), data, counted, { ...options, signal: controller.signal });
    expect(part).toMatchObject({ status: "aborted", steps: 1 });
    const rest = await sso(linearModel(1), data, counted, { ...options, resume: part.state });
    expect(calls).toBe(3);
    expect(rest.history).toEqual((await sso(linearModel(1), data, oracle, options)).history);
  });
});
