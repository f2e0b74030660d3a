import { FormatError, IndexError, random, ValueError } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import {
  ChebCB,
  EpsilonGreedy,
  FixedSetting,
  type OnlinePolicy,
  omegaGrid,
  policyFromJSON,
  TsallisInf,
  TsallisInfBinned,
  Ucb1,
} from "../src/index.js";

const settings = omegaGrid(1, 1.9, 7);
const range = [0, 1] as const;
const policies: Record<string, (seed: number) => OnlinePolicy> = {
  TsallisInf: (seed) => new TsallisInf({ settings, seed }),
  TsallisInfBinned: (seed) => new TsallisInfBinned({ settings, seed, bins: 3, range }),
  ChebCB: (seed) => new ChebCB({ settings, seed, range }),
  EpsilonGreedy: (seed) => new EpsilonGreedy({ settings, seed, epsilon: 0.2 }),
  Ucb1: () => new Ucb1({ settings }),
  FixedSetting: () => new FixedSetting(1.3),
};

/** Losses between 20 and 110 that are least at omega = 1 + context. */
function play(policy: OnlinePolicy, rounds: number, seed: number): number[] {
  const rng = random.rng(seed);
  return Array.from({ length: rounds }, () => {
    const context = rng.uniform([], { dtype: "float64" }).item();
    const omega = policy.choose(context);
    const loss = Math.round(20 + 80 * Math.abs(omega - 1 - 0.9 * context) + rng.uniform([], { high: 10 }).item());
    policy.update(loss);
    return omega;
  });
}

for (const [name, make] of Object.entries(policies)) {
  describe(name, () => {
    it("is the same for the same seed, and goes on bit for bit from its text", () => {
      expect(play(make(1), 60, 5)).toEqual(play(make(1), 60, 5));
      const whole = make(3);
      play(whole, 50, 6);
      const resumed = policyFromJSON(JSON.parse(JSON.stringify(whole)));
      expect(resumed.rounds).toBe(50);
      expect(play(resumed, 50, 7)).toEqual(play(whole, 50, 7));
      expect(JSON.stringify(resumed)).toBe(JSON.stringify(whole));
      // Between a choice and its loss.
      const omega = whole.choose(0.4);
      const waiting = policyFromJSON(JSON.parse(JSON.stringify(whole)));
      expect(waiting.settings[waiting.arm!]).toBe(omega);
      for (const policy of [whole, waiting]) policy.update(33);
      expect(play(waiting, 20, 8)).toEqual(play(whole, 20, 8));
    });

    it("draws from probabilities that sum to 1", () => {
      const policy = make(2);
      for (let t = 0; t < 40; t++) {
        policy.choose((t % 7) / 6);
        const p = Array.from(policy.probabilities);
        expect(p.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
        expect(Math.min(...p)).toBeGreaterThanOrEqual(0);
        expect(p[policy.arm!]).toBeGreaterThan(0);
        policy.update(5 + t);
      }
    });

    it("rejects losses, arms and calls that make no sense", () => {
      const policy = make(0);
      expect(() => policy.update(3)).toThrow(/call choose first/);
      policy.choose(0.5);
      for (const loss of [Number.NaN, -1, Infinity]) expect(() => policy.update(loss)).toThrow(ValueError);
      expect(() => policy.update(3, 7)).toThrow(IndexError);
      expect(() => policy.update(3, 0.5)).toThrow(IndexError);
      expect(() => policy.choose(Number.NaN)).toThrow(/context is NaN/);
      policy.update(3);
      expect(() => policy.update(3)).toThrow(/call choose first/);
      // A choice whose solve failed is forgotten.
      policy.choose(0.1);
      policy.choose(0.2);
      policy.update(4);
      expect(policy.rounds).toBe(2);
      expect(policy.arm).toBeUndefined();
    });

    it("says what is wrong with a damaged text", () => {
      const policy = make(0);
      play(policy, 3, 1);
      policy.choose(0.5);
      const good = JSON.parse(JSON.stringify(policy));
      const pending = (part: object) => ({ ...good, pending: { ...good.pending, ...part } });
      const even = settings.map(() => 1 / settings.length);
      const damaged: unknown[] = [
        pending({ context: "soon" }),
        pending({ probabilities: good.settings.map(() => 0) }),
        ...(name === "FixedSetting" ? [] : [pending({ probabilities: [-1, 2, 0, 0, 0, 0, 0] })]),
        { ...good, settings: good.settings.map(() => null) },
        null,
        [],
        "text",
        {},
        { ...good, policy: "toString" },
        { ...good, version: 2 },
        { ...good, rounds: -1 },
        { ...good, random: { ...good.random, state: [1] } },
        { ...good, settings: [] },
        { ...good, pending: { ...good.pending, arm: 99 } },
        { ...good, pending: { ...good.pending, probabilities: [1, null] } },
      ];
      if (name !== "FixedSetting") damaged.push({ ...good, memory: null }, { ...good, memory: {} });
      if (name !== "FixedSetting") {
        expect(policyFromJSON(pending({ probabilities: even })).probabilities).toEqual(Float64Array.from(even));
      }
      for (const json of damaged) expect(() => policyFromJSON(json)).toThrow(FormatError);
    });
  });
}

it.each(Object.keys(policies))("%s takes losses of any size, and refuses those that leave no room", (name) => {
  const policy = policies[name]!(4);
  for (let t = 0; t < 30; t++) {
    policy.choose(t / 30);
    policy.update([1e150, 1e-300, 0][t % 3]!);
  }
  policy.choose(0.5);
  expect(policy.probabilities.every((p) => p >= 0 && p <= 1)).toBe(true);
  const before = JSON.stringify(policy);
  expect(() => policy.update(1e308)).toThrow(/loss is 1e\+308; .* count in a larger unit/);
  expect(JSON.stringify(policy)).toBe(before);
  expect(policyFromJSON(JSON.parse(before)).rounds).toBe(30);
});

it("an arm that could not be drawn cannot be replayed, and that harms nothing", () => {
  const policy = new TsallisInf({ settings: [1, 2], seed: 0, lossScale: 1e-200, minLoss: 0 });
  policy.choose();
  policy.update(1e100, 0);
  policy.choose();
  expect(() => policy.update(5, 0)).toThrow(/arm 0 had a probability of 0/);
  policy.update(5, 1);
  expect(policy.cumulative.every(Number.isFinite)).toBe(true);
});

it("sums that no policy can have are errors of the file", () => {
  const saved = (policy: OnlinePolicy) => {
    play(policy, 5, 1);
    return JSON.parse(JSON.stringify(policy));
  };
  const [cheb, tsallis, ucb] = [policies["ChebCB"]!(0), policies["TsallisInf"]!(0), policies["Ucb1"]!(0)].map(saved);
  const remembering = (state: { memory: object }, part: object) => ({ ...state, memory: { ...state.memory, ...part } });
  for (const json of [
    remembering(cheb, { eta: -1 }),
    remembering(cheb, { smallest: 1e9 }),
    remembering(cheb, { arms: [...cheb.memory.arms, cheb.memory.arms[0]] }),
    remembering(cheb, { clamped: 0.5 }),
    remembering(tsallis, { arms: { ...tsallis.memory.arms, rounds: 0.5 } }),
    remembering(tsallis, { arms: { ...tsallis.memory.arms, rounds: -3 } }),
    remembering(tsallis, { arms: { ...tsallis.memory.arms, cumulative: settings.map(() => -1) } }),
    remembering(ucb, { counts: settings.map(() => -1) }),
  ]) {
    expect(() => policyFromJSON(json)).toThrow(FormatError);
  }
});

describe("policies with a context", () => {
  it("do better with it than any fixed setting where the best setting depends on it", () => {
    const cost = (policy: OnlinePolicy) => {
      const rng = random.rng(1);
      let total = 0;
      for (let t = 0; t < 1500; t++) {
        const context = rng.uniform([], { dtype: "float64" }).item();
        const loss = Math.round(20 + 200 * Math.abs(policy.choose(context) - 1 - 0.9 * context));
        policy.update(loss);
        total += loss;
      }
      return total;
    };
    const fixed = Math.min(...settings.map((omega) => cost(new FixedSetting(omega))));
    expect(cost(policies["ChebCB"]!(0))).toBeLessThan(0.85 * fixed);
  });

  it("need it, and treat what is outside their range as told", () => {
    for (const make of [
      (outside?: "clamp" | "error") =>
        new TsallisInfBinned({ settings, seed: 0, bins: 3, range, ...(outside && { outside }) }),
      (outside?: "clamp" | "error") => new ChebCB({ settings, seed: 0, range, ...(outside && { outside }) }),
    ]) {
      expect(() => make().choose()).toThrow(/context is missing/);
      expect(() => make("error").choose(1.5)).toThrow(/outside \[0, 1\]/);
      const clamping = make();
      clamping.choose(1.5);
      clamping.update(9);
      clamping.choose(0.5);
      expect(clamping.clamped).toBe(1);
      expect(policyFromJSON(JSON.parse(JSON.stringify(clamping)))).toMatchObject({ clamped: 1 });
    }
  });
});

describe("options out of range", () => {
  it("are errors that say what to give", () => {
    const seed = 0;
    const wrong: [() => unknown, RegExp][] = [
      [() => new TsallisInf({ settings: [], seed }), /at least one setting/],
      [() => new TsallisInf({ settings: [1, Number.NaN], seed }), /must be finite/],
      [() => new TsallisInf({ settings, seed, lossScale: 0 }), /lossScale is 0/],
      [() => new TsallisInf({ settings, seed, minLoss: -1 }), /minLoss is -1/],
      [() => new TsallisInf({ settings, seed, lossScale: "3" as never }), /lossScale is "3"/],
      [() => new TsallisInf({ settings: [1, undefined], seed }), /settings\[1\] is undefined/],
      [() => new FixedSetting(undefined), /settings\[0\] is undefined/],
      [() => new TsallisInfBinned({ settings, seed, bins: 1e9, range }), /bins is 1000000000; .* from 1 to 100000/],
      [() => new ChebCB({ settings, seed, range: [0, 1, 2] as never }), /range is \[0,1,2\]/],
      [() => new ChebCB({ settings, seed, range }).predict(Number.NaN), /context is NaN/],
      [() => new ChebCB({ settings, seed, range }).predict("0.3" as never), /context is 0\.3; it must be a finite/],
      [() => new ChebCB({ settings, seed, range }).probabilitiesFor(0.3, "3" as never), /eta is 3/],
      [() => new EpsilonGreedy({ settings, seed, epsilon: "0.3" as never }), /epsilon is 0\.3/],
      [() => new TsallisInfBinned({ settings, seed, bins: 0, range }), /bins is 0/],
      [() => new TsallisInfBinned({ settings, seed, bins: 2, range: [1, 1] }), /low < high/],
      [() => new ChebCB({ settings, seed, range: [2, 1] }), /low < high/],
      [() => new ChebCB({ settings, seed, range, features: 0 }), /features is 0/],
      [() => new ChebCB({ settings, seed, range, minLoss: Number.NaN }), /minLoss is NaN/],
      [() => new ChebCB({ settings, seed, range, outside: "throw" as "error" }), /"clamp" or "error"/],
      [() => new EpsilonGreedy({ settings, seed, epsilon: 2 }), /epsilon is 2/],
      [() => omegaGrid(0, 1.9), /0 < first <= last < 2/],
      [() => omegaGrid(1, 2), /0 < first <= last < 2/],
      [() => omegaGrid(1, 1.9, 1), /count is 1/],
    ];
    for (const [make, message] of wrong) {
      expect(make).toThrow(ValueError);
      expect(make).toThrow(message);
    }
  });
});
