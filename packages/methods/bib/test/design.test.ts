import { adam } from "@offprint/optim";
import { grad, matmul, mul, random, softmax, sum, type Tensor, tensor } from "@offprint/tensor-core";
import { expectClose, numericalGradient } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { adamDirection, adaptedRate, along, gammaSlope } from "../src/adaptive-rules.js";
import { encodeSequences } from "../src/alphabet.js";
import {
  adaptiveRate,
  descendBalanced,
  designFigures,
  designSequences,
  designWith,
  fitTable,
  judgeDesigns,
  lowestRows,
  ntkModel,
  predictScores,
} from "../src/index.js";
import { bent, placed, scores, sequences, table } from "./problem.js";

const rng = random.rng(9);
const float64 = { dtype: "float64" } as const;
const fit = fitTable(table, bent, { ridge: 1e-2 });

describe("a run of designs", () => {
  it("an auxiliary score without a slope leaves gamma and eta, as with a fixed gamma", async () => {
    const options = { starts: 4, steps: 6 } as const;
    const still = await designWith(fit, {
      ...{ ...options, adaptiveRate: true, auxiliary: (x) => x.mul(0).sum([1, 2]) },
    });
    for (const { gamma, learningRate } of still.history) {
      expect([...gamma]).toEqual([0.5, 0.5, 0.5, 0.5]);
      expect([...learningRate]).toEqual([0.1, 0.1, 0.1, 0.1]);
    }
    const bdi = await designWith(fit, { ...options, mode: "bdi" });
    expectClose(still.logits, bdi.logits, 1e-10);
  });

  it("gamma fixed at 1 and at 0 is the forward and the backward mode, bit for bit", async () => {
    const { logits } = await designWith(fit, { starts: 3, steps: 0 });
    for (const [balance, mode] of [
      [1, "forward"],
      [0, "backward"],
    ] as const) {
      const fixed = await descendBalanced(logits, designFigures(bent), fit.tensors, { balance, steps: 5 });
      const pure = await designWith(fit, { mode, starts: 3, steps: 5 });
      expect([...fixed.logits.data()]).toEqual([...pure.logits.data()]);
    }
  });

  it("a batch of designs is that of single ones, but for a joint backward loss", async () => {
    const starts = ["ACGTA", "GGGTC"];
    const options = { steps: 5, adaptiveRate: true } as const;
    const both = await designWith(fit, { ...options, starts });
    const joint = await designWith(fit, { ...options, starts, joint: true });
    for (const [k, start] of starts.entries()) {
      const one = await designWith(fit, { ...options, starts: [start] });
      for (const name of ["gamma", "learningRate", "backwardLoss"] as const) {
        expect(one.history[4][name][0]).toBeCloseTo(both.history[4][name][k], 10);
      }
      expect(joint.history[0].backwardLoss[k]).not.toBeCloseTo(one.history[0].backwardLoss[0], 3);
    }
    expect(joint.history[0].backwardLoss[0]).toBeCloseTo(joint.history[0].backwardLoss[1], 12);
  });

  it("gamma stays in [0, 1] and eta in its bounds, whatever the scale of the auxiliary score", async () => {
    for (const outer of ["firstOrder", "exact"] as const) {
      for (const factor of [-1e4, 1e4]) {
        const auxiliary = (x: Tensor) => x.slice([null, null, 2]).sum(1).mul(factor);
        const { history } = await designWith(fit, { starts: 2, steps: 12, adaptiveRate: true, outer, auxiliary });
        const all = (name: "gamma" | "learningRate") => history.flatMap((record) => [...record[name]]);
        expect(Math.min(...all("gamma"))).toBeGreaterThanOrEqual(0);
        expect(Math.max(...all("gamma"))).toBeLessThanOrEqual(1);
        expect(Math.min(...all("learningRate"))).toBeGreaterThanOrEqual(1e-4);
        expect(Math.max(...all("learningRate"))).toBeLessThanOrEqual(0.5);
      }
    }
  });

  it("neither the order of the rows nor the scale of the features matters", async () => {
    const options = { starts: ["ACGTA", "GGGTC"], steps: 6, mode: "bdi", ridge: 1e-2 } as const;
    const plain = await designSequences(table, bent, options);
    const order = rng.permutation(60).data();
    const turned = { sequences: Array.from(order, (i) => sequences[i]), scores: Array.from(order, (i) => scores[i]) };
    const scaled = { ...bent, features: (x: Tensor, w: Tensor) => bent.features(x, w).mul(7) };
    for (const other of [await designSequences(turned, bent, options), await designSequences(table, scaled, options)]) {
      expectClose(other.logits, plain.logits, 1e-7);
    }
  });

  it("proxyBest gives designs that the forward map likes at least as well as the last ones", async () => {
    const options = { starts: 6, steps: 30, learningRate: 0.5, mode: "bdi" } as const;
    const [last, best] = [await designWith(fit, options), await designWith(fit, { ...options, select: "proxyBest" })];
    for (const [i, prediction] of best.predictions.entries()) {
      expect(prediction).toBeGreaterThanOrEqual(last.predictions[i] - 1e-12);
    }
    expectClose(tensor(predictScores(fit, best.sequences)), tensor(best.predictions), 1e-12);
  });

  it("finds better sequences than it began with, with every mode but the backward one, and through a kernel", async () => {
    const truth = (names: readonly string[]) =>
      names.reduce((total, s) => total + [...s].filter((c) => c === "G").length, 0) / names.length;
    const model = ntkModel();
    for (const options of [{ mode: "bib" }, { mode: "forward" }, { mode: "grad" }] as const) {
      for (const each of [fitTable(table, placed, { ridge: 1e-2 }), fitTable(table, model, { ridge: 1e-2 })]) {
        const { sequences: found, starts } = await designWith(each, { ...options, starts: 8, steps: 40 });
        expect(truth(found)).toBeGreaterThan(truth(starts) + 0.5);
      }
    }
  });
});

describe("the outer level", () => {
  const logits = rng.normal([2, 3, 4], float64);
  const [forward, backward, direction] = [0, 1, 2].map(() => rng.normal([2, 3, 4], float64));
  const gamma = tensor([0.3, 0.8], float64);
  const w = rng.normal([3, 4], float64);
  const score = (x: Tensor) => sum(mul(softmax(x, -1), w), [1, 2]);
  const slope = grad((x: Tensor) => sum(score(x)))(logits);

  it("exactly has the derivative of the score after the step, and to first order that at the step", () => {
    const after = (g: Tensor) =>
      score(
        logits.sub(
          along(g)
            .mul(forward)
            .add(along(g.mul(-1).add(1)).mul(backward))
            .mul(0.1),
        ),
      );
    const at = { logits, gamma, forward, backward, slope };
    expectClose(gammaSlope(at, 0.1, score), numericalGradient((g: Tensor) => sum(after(g)), gamma).mul(-1), 1e-7);
    const tiny = 1e-6;
    expectClose(gammaSlope(at, tiny, undefined).div(tiny), gammaSlope(at, tiny, score).div(tiny), 1e-4);
  });

  it("eta moves against the fall of the score along the step", () => {
    const bounds = { base: 0.1, outerRate: 0.01, least: 1e-4, most: 0.5 };
    const eta = tensor([0.1, 0.1], float64);
    const falls = numericalGradient((e: Tensor) => sum(score(logits.sub(along(e).mul(direction)))), eta).mul(-1);
    const exact = adaptedRate({ logits, direction, slope }, bounds, score);
    expectClose(exact, falls.mul(-0.01).add(0.1), 1e-8);
    expectClose(adaptedRate({ logits, direction, slope: slope.mul(0) }, bounds, undefined), eta, 0);
    const steep = adaptedRate({ logits, direction, slope: direction.mul(-1e6) }, bounds, undefined);
    expect([...steep.data()]).toEqual([0.5, 0.5]);
  });

  it("the wrapper of optimizers makes the steps that designs make", async () => {
    const { logits: first } = await designWith(fit, { starts: 1, steps: 0 });
    const figures = designFigures(bent);
    const own = await descendBalanced(first, figures, fit.tensors, { balance: 1, adaptiveRate: true, steps: 4 });
    const rule = adaptiveRate(adam({ learningRate: 1 }));
    let [x, state] = [first, rule.init(first)];
    for (let t = 0; t < 4; t++) {
      const of = (name: "forward" | "auxiliary") => grad((z: Tensor) => sum(figures(z, fit.tensors)[name]))(x);
      const update = rule.update(of("forward"), of("auxiliary"), state, x);
      expect(update.learningRate.item()).toBeCloseTo(own.history[t].learningRate[0], 9);
      [x, state] = [x.add(update.updates), update.state];
    }
    expectClose(x, own.logits, 1e-9);
  });

  it("Adam's first direction is the sign of the gradient", () => {
    const g = tensor([3, -0.2], float64);
    const none = { first: g.mul(0), second: g.mul(0) };
    expectClose(adamDirection(g, none, tensor(1, float64)).direction, tensor([1, -1], float64), 1e-6);
  });
});

describe("what a fit refuses and tells", () => {
  it("tables, starts and models that are none", async () => {
    const fitted = (s: readonly string[], y: readonly number[]) => () => fitTable({ sequences: s, scores: y }, bent);
    expect(fitted(["ACGTA"], [1])).toThrow(/1 sequences/);
    expect(fitted(["ACGTA", "ACGTC"], [1])).toThrow(/2 sequences and 1 scores/);
    expect(fitted(["ACGTA", "ACGTC"], [2, 2])).toThrow(/the scores are all 2/);
    // Their mean is not 0.1 but for rounding.
    expect(fitted(new Array(6).fill("ACGTA"), new Array(6).fill(0.1))).toThrow(/the scores are all 0.1,/);
    expect(fitted(["ACGTA", "ACG"], [1, 2])).toThrow(/sequence 2 has 3 letters and the first 5/);
    expect(fitted(["ACGTA", "ACGTU"], [1, 2])).toThrow(/"U" at place 5; the alphabet is ACGT$/);
    expect(fitted(["ACGTA", "ACGTc"], [1, 2])).toThrow(/"c" at place 5; the alphabet is ACGT; write capitals/);
    expect(() => fitTable(table, { nextLogits: () => [] } as never)).toThrow(/embeddings must be open/);
    expect(() => fitTable(table, { ...bent, alphabet: ["A", "A"] })).toThrow(/alphabet/);
    expect(() => fitTable(table, ntkModel(), { heads: "adam" })).toThrow(/heads "adam" train on features/);
    expect(() => fitTable(table, bent, { seed: {} as never })).toThrow(
      "seed is an object; give a finite number or a text",
    );
    expect(() => fitTable(undefined as never, bent)).toThrow(/table is undefined; give \{ sequences, scores \}/);
    await expect(designWith({} as never)).rejects.toThrow(/fit has no model and tensors; give what fitTable gave/);
    await expect(designWith(fit, { balance: 0.3 })).rejects.toThrow(/balance is of the mode "bdi", which is "bib"/);
    await expect(designWith(fit, { starts: ["ACG"] })).rejects.toThrow(/starts have 3 letters/);
    await expect(designWith(fit, { starts: 2, initialLogits: [[[1]]] })).rejects.toThrow(/initialLogits/);
  });

  it("warns where there are about as many rows as features, and where the ridge had to grow", () => {
    const few = { sequences: sequences.slice(0, 14), scores: scores.slice(0, 14) };
    expect(fitTable(few, bent).notes.join()).toMatch(/14 rows for 12 features/);
    expect(fitTable(few, bent, { ridge: 1e-2 }).notes).toEqual([]);
    const doubled = { sequences: [...sequences, ...sequences], scores: [...scores, ...scores] };
    const grown = fitTable(doubled, ntkModel(), { ridge: 0 });
    expect(grown.ridge).toBeGreaterThan(0);
    expect(grown.notes.join()).toMatch(/could not be factorised/);
  });

  it("both kinds of auxiliary heads predict the table's scores in their units", () => {
    const rows = encodeSequences("test", sequences, placed.alphabet);
    for (const heads of ["ridge", "adam"] as const) {
      const { tensors } = fitTable(table, placed, { heads });
      const predicted = matmul(placed.features(rows, null), tensors.head).add(tensors.middle).data();
      const missed = scores.reduce((total, score, i) => total + (score - predicted[i]) ** 2, 0) / scores.length;
      expect(missed).toBeLessThan(0.05);
    }
  });
});

describe("designs where the truth is known", () => {
  it("begin with the lowest rows, and are judged in the range of all scores", () => {
    const lowest = lowestRows({ sequences: ["AA", "AC", "AG", "AT", "CA"], scores: [3, 1, 5, 2, 4] });
    expect(lowest.sequences).toEqual(["AC", "AT", "AA"]);
    expect(lowest.scores).toEqual(Float64Array.of(1, 2, 3));
    expect(lowestRows(table, 60).sequences.length).toBe(60);
    const truth = (s: string) => [...s].filter((c) => c === "G").length;
    const { scores: each, ...figures } = judgeDesigns(["GGG", "AAA", "GAA", "GGA"], truth, [0, 4, 2]);
    expect(each).toEqual(Float64Array.of(0.75, 0, 0.25, 0.5));
    expect(figures).toEqual({ largest: 0.75, median: 0.375, mean: 0.375 });
    expect(judgeDesigns(["GGG", "AAA", "GAA"], truth, [0, 4]).median).toBe(0.25);
  });

  it("are refused where they cannot be judged, by name", () => {
    expect(() => lowestRows(table, 61)).toThrow(/count is 61/);
    expect(() => lowestRows({ sequences: [], scores: [] })).toThrow(/0 sequences/);
    expect(() => judgeDesigns([], () => 1, [0, 1])).toThrow(/there are no designs/);
    expect(() => judgeDesigns(["A"], () => 1, [2, 2])).toThrow(/known scores go from 2 to 2/);
    expect(() => judgeDesigns(["A"], () => Number.NaN, [0, 1])).toThrow(/truth gives NaN for "A"/);
  });
});
