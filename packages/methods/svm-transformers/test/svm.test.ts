import {
  concatenate,
  linalg,
  matmul,
  mul,
  random,
  slice,
  stack,
  sub,
  type Tensor,
  tensor,
  transpose,
} from "@offprint/tensor-core";
import { expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { fixedProblem, randomProblem } from "../claims/data.js";
import { readExamples } from "../src/examples.js";
import {
  attention,
  attentionSvm,
  correlation,
  equalMargins,
  generalisedSvm,
  InfeasibleSvmError,
  isSeparable,
  locallyOptimal,
  marginReport,
  optimalTokens,
  positionExamples,
  regularisationPath,
  tokenScores,
  trainAttention,
  withoutRepeats,
} from "../src/index.js";
import { marginRows, marginsOf } from "../src/margin-rows.js";

const nuclearNorm = (w: Tensor) => linalg.svdvals(w).sum().item();

/** `sum b_p u_p z_p^T`. */
function fromMultipliers(
  examples: Parameters<typeof attentionSvm>[0],
  tokens: readonly number[],
  b: ArrayLike<number>,
) {
  const read = readExamples("test", examples);
  const { differences, examples: of } = marginRows(
    read,
    tokens.map((t) => [t]),
  );
  let sum = tensor(new Float64Array(read.dimension ** 2), { shape: [read.dimension, read.dimension] });
  differences.forEach((u, p) => {
    const z = slice(read.queries, [of[p]]);
    sum = sum.add(mul(matmul(tensor(u, { shape: [read.dimension, 1] }), z.reshape([1, read.dimension])), b[p]));
  });
  return sum;
}

describe("attentionSvm", () => {
  it.each(["frobenius", "nuclear"] as const)("does not depend on the unit of the tokens: %s", async (norm) => {
    const { examples, v } = randomProblem(random.rng("unit"), 3, 4, 4);
    const { tokens } = optimalTokens(examples, v);
    const known = await attentionSvm(examples, tokens, { norm });
    for (const unit of [1e-6, 1e-3, 1e3, 1e6]) {
      const scaled = { ...examples, tokens: mul(examples.tokens, unit) };
      if (examples.queries !== undefined) scaled.queries = mul(examples.queries, unit);
      const found = await attentionSvm(scaled, tokens, { norm });
      expect(found.margin / unit ** 2 / known.margin).toBeCloseTo(1, 6);
      expectClose(mul(found.w, unit ** 2), known.w, { ofLargest: 1e-5 });
      expect(found.support).toEqual(known.support);
      // Multipliers grow as the constraints shrink: by the square of their size, or by it.
      const power = norm === "frobenius" ? 4 : 2;
      expectClose(
        found.multipliers.map((b) => b * unit ** power),
        known.multipliers,
        { ofLargest: 1e-4 },
      );
      expect(await isSeparable(scaled, tokens)).toBe(true);
    }
  });

  it("satisfies the conditions of optimality in both norms, which bound each other", async () => {
    for (let seed = 0; seed < 3; seed++) {
      const { examples, v } = randomProblem(random.rng(seed), 4, 5, 6);
      const { tokens } = optimalTokens(examples, v);
      const read = readExamples("test", examples);
      const rows = marginRows(
        read,
        tokens.map((t) => [t]),
      );
      const frobenius = await attentionSvm(examples, tokens);
      const nuclear = await attentionSvm(examples, tokens, { norm: "nuclear" });
      for (const { w, multipliers } of [frobenius, nuclear]) {
        const margins = marginsOf(rows, w.data(), read);
        margins.forEach((margin, p) => {
          expect(margin).toBeGreaterThan(1 - 1e-6);
          expect(multipliers[p]).toBeGreaterThan(-1e-8);
          expect(Math.abs(multipliers[p] * (margin - 1))).toBeLessThan(1e-5);
        });
      }
      expectClose(fromMultipliers(examples, tokens, frobenius.multipliers), frobenius.w, { absolute: 1e-7 });
      const sum = (b: Float64Array) => b.reduce((total, one) => total + one, 0);
      expect(sum(frobenius.multipliers)).toBeCloseTo(frobenius.objective ** 2, 5);
      const dual = linalg.svdvals(fromMultipliers(examples, tokens, nuclear.multipliers)).data()[0];
      expect(dual).toBeLessThan(1 + 1e-5);
      expect(sum(nuclear.multipliers)).toBeCloseTo(nuclear.objective, 5);
      expect(nuclearNorm(nuclear.w)).toBeCloseTo(nuclear.objective, 5);
      expect(frobenius.objective).toBeLessThan(Math.sqrt(nuclear.w.mul(nuclear.w).sum().item()) + 1e-6);
      expect(nuclear.objective).toBeLessThan(nuclearNorm(frobenius.w) + 1e-6);
      expect(frobenius.margin).toBeCloseTo(1 / frobenius.objective, 12);
    }
  });

  it("of one example is the SVM of a vector, times the query; the norms agree, as its rank is 1", async () => {
    const { examples, v } = fixedProblem(1, 4, 5);
    const { tokens } = optimalTokens(examples, v);
    const { w, objective } = await attentionSvm(examples, tokens);
    expect(linalg.svdvals(w).data()[1]).toBeLessThan(1e-8);
    const z = slice(examples.queries, [0]);
    const p = matmul(w, z);
    expectClose(matmul(p.reshape([5, 1]), z.reshape([1, 5])), w, { absolute: 1e-8 });
    expect((await attentionSvm(examples, tokens, { norm: "nuclear" })).objective).toBeCloseTo(objective, 5);
  });

  it("turns with the basis, scales against the queries, and does not care for the order of tokens", async () => {
    const { examples, v } = fixedProblem(3, 4, 5);
    const { tokens } = optimalTokens(examples, v);
    const { w } = await attentionSvm(examples, tokens);
    const { q: r } = linalg.qr(random.rng(1).normal([5, 5], { dtype: "float64" }));
    const turned = await attentionSvm({ ...examples, tokens: matmul(examples.tokens, r) }, tokens);
    expectClose(turned.w, matmul(transpose(r), w), { absolute: 1e-7 });
    const scaled = await attentionSvm({ ...examples, queries: mul(examples.queries, 4) }, tokens);
    expectClose(scaled.w, mul(w, 0.25), { absolute: 1e-7 });
    const reversed = stack(
      [3, 2, 1, 0].map((t) => slice(examples.tokens, [null, t])),
      1,
    );
    const moved = await attentionSvm(
      { ...examples, tokens: reversed },
      tokens.map((t) => 3 - t),
    );
    expectClose(moved.w, w, { absolute: 1e-7 });
  });

  it("says with a certificate that a token inside the hull of others cannot be selected", async () => {
    const tokens = [
      [
        [1, 0],
        [-1, 0],
        [0, 0],
      ],
    ];
    const examples = { tokens, queries: [[1, 2]], labels: [1] };
    const error = await attentionSvm(examples, [2]).catch((each) => each);
    expect(error).toBeInstanceOf(InfeasibleSvmError);
    expectClose(error.certificate, [0.5, 0.5], { absolute: 1e-6 });
    expect(await isSeparable(examples, [2])).toBe(false);
    expect(await isSeparable(examples, [0])).toBe(true);
    await expect(attentionSvm(examples, [2], { norm: "nuclear" })).rejects.toBeInstanceOf(InfeasibleSvmError);
  });

  it("separates what only just can be, and rows of very different sizes, for both norms", async () => {
    const narrow = {
      tokens: [
        [
          [0, 1e-4],
          [1, 0],
          [-1, 0],
        ],
      ],
      queries: [[1, 1]],
      labels: [1],
    };
    const { examples, v } = fixedProblem(4, 5, 6);
    const { tokens } = optimalTokens(examples, v);
    const factor = tensor([[1e6], [1], [1], [1e-4]], { dtype: "float64" });
    const uneven = { ...examples, queries: tensor(examples.queries as Tensor).mul(factor) };
    for (const norm of ["frobenius", "nuclear"] as const) {
      expectClose((await attentionSvm(narrow, [0], { norm })).margin, Math.SQRT2 * 1e-4, { relative: 1e-5 });
      const { w } = await attentionSvm(uneven, tokens, { norm });
      const read = readExamples("test", uneven);
      const rows = marginRows(
        read,
        tokens.map((t) => [t]),
      );
      expect(Math.min(...marginsOf(rows, w.data(), read))).toBeGreaterThan(1 - 1e-4);
    }
    expect(await isSeparable(narrow, [0])).toBe(true);
    expect(await isSeparable(uneven, tokens)).toBe(true);
  });

  it("at t W the attention of other tokens falls like e^-t, and the gradient points along W where W is locally optimal", async () => {
    const { examples, v } = fixedProblem(3, 4, 5);
    const { tokens } = optimalTokens(examples, v);
    const { w } = await attentionSvm(examples, tokens);
    const others = (t: number) => {
      const s = attention(mul(w, t), examples);
      return Math.log(sub(1, s.max(1)).sum().item());
    };
    expect((others(30) - others(20)) / 10).toBeCloseTo(-1, 2);
    const step = await trainAttention(examples, { head: { kind: "linear", v }, initial: mul(w, 20), steps: 1 });
    expect(sub(step.w, mul(w, 20)).mul(w).sum().item()).toBeGreaterThan(0);
    const worst = tokenScores(examples, v).argMin(1).data();
    const wrong = await attentionSvm(examples, [...worst]);
    const away = await trainAttention(examples, { head: { kind: "linear", v }, initial: mul(wrong.w, 20), steps: 1 });
    expect(sub(away.w, mul(wrong.w, 20)).mul(wrong.w).sum().item()).toBeLessThan(0);
  });
});

describe("what stands on it", () => {
  it("locallyOptimal finds five choices of 36, the global one among them", async () => {
    const { examples, v } = fixedProblem(2, 6, 3);
    const all = await locallyOptimal(examples, v);
    expect(all.map(({ tokens }) => tokens.join()).sort()).toEqual(["3,0", "3,1", "3,4", "5,0", "5,1"]);
    expect(all.filter(({ isGlobal }) => isGlobal).map(({ tokens }) => tokens.join())).toEqual(["5,1"]);
    const [one] = await locallyOptimal(examples, v, {
      candidates: [
        [5, 1],
        [0, 0],
      ],
    });
    expect(one.objective).toBeCloseTo(2.10067, 4);
    await expect(locallyOptimal(examples, v, { maxChoices: 35 })).rejects.toThrow(
      "there are 36 choices and maxChoices is 35",
    );
    const near = await locallyOptimal(examples, v, { search: "neighbours" });
    expect(near[0].isGlobal).toBe(true);
    expect(near.map(({ tokens }) => tokens.join()).sort()).toEqual(["3,0", "3,1", "3,4", "5,0", "5,1"]);
    // The best choice and its ten neighbours.
    const few = await locallyOptimal(examples, v, { search: "neighbours", maxChoices: 11 });
    expect(few.map(({ tokens }) => tokens.join()).sort()).toEqual(["3,1", "5,0", "5,1"]);
  });

  it("regularisationPath around a locally optimal choice goes in the direction of its SVM, around another to the edge", async () => {
    const { examples, v } = fixedProblem(2, 6, 3);
    const [, global] = await regularisationPath(examples, v, [30, 100], { starts: 2 });
    const of = (around: number[]) => regularisationPath(examples, v, [100, 300], { around, starts: 2 });
    for (const around of [
      [3, 0],
      [3, 1],
      [3, 4],
      [5, 0],
      [5, 1],
    ]) {
      const [near, far] = await of(around);
      expect(far.correlation).toBeGreaterThan(0.999);
      expect(far.correlation).toBeGreaterThan(near.correlation);
      // Around the tokens of the highest scores it is the global path.
      if (around.join() === "5,1") expect(near.logExcess).toBeCloseTo(global.logExcess, 5);
    }
    // A support token of theirs has a higher score: the loss falls below that of the chosen tokens.
    for (const around of [
      [2, 4],
      [4, 1],
    ]) {
      const [, far] = await of(around);
      expect([far.correlation, far.logExcess]).toEqual([expect.closeTo(0.99, 4), -Infinity]);
    }
  });

  it("generalisedSvm with one token an example is attentionSvm; with several their scores are equal", async () => {
    const { examples, v } = fixedProblem(3, 4, 8);
    const { tokens } = optimalTokens(examples, v);
    const s = attention(mul(random.rng(2).normal([8, 8], { dtype: "float64" }), 0.3), examples);
    const one = await generalisedSvm(
      examples,
      tokens.map((t) => [t]),
      s,
    );
    expectClose(one.w, (await attentionSvm(examples, tokens)).w, { absolute: 1e-7 });
    expect(one.finite.data().every((value) => value === 0)).toBe(true);
    for (const norm of ["frobenius", "nuclear"] as const) {
      const two = await generalisedSvm(examples, [[0, 2], [1], [3]], s, { norm });
      const scores = tensorOfScores(two.w, examples);
      expect(scores[0][0]).toBeCloseTo(scores[0][2], 5);
      expect(Math.min(scores[0][0] - scores[0][1], scores[0][0] - scores[0][3])).toBeCloseTo(1, 4);
      const finite = tensorOfScores(two.finite, examples);
      const given = s.toArray() as number[][];
      expect(finite[0][0] - finite[0][2]).toBeCloseTo(Math.log(given[0][0] / given[0][2]), 8);
      const { c, correlation: fit } = two.fit(two.finite.add(mul(two.w, 7)));
      expect([c, fit]).toEqual([expect.closeTo(7, 8), expect.closeTo(1, 12)]);
    }
  });

  it("equalMargins gives every margin the value 1 where it can", () => {
    const { examples, v } = fixedProblem(2, 3, 6);
    const { tokens } = optimalTokens(examples, v);
    const read = readExamples("test", examples);
    const margins = marginsOf(
      marginRows(
        read,
        tokens.map((t) => [t]),
      ),
      equalMargins(examples, tokens).data(),
      read,
    );
    expectClose(margins, [1, 1, 1, 1], { absolute: 1e-9 });
  });

  it("causal examples are those of explicit masks, and padding changes nothing", async () => {
    const rng = random.rng(4);
    const x = rng.normal([2, 3, 5], { dtype: "float64" });
    const causal = positionExamples(x, [
      [1, -1, 1],
      [-1, 1, 1],
    ]);
    expect([causal.tokens, causal.mask].map((each) => (each as Tensor).shape)).toEqual([
      [6, 3, 5],
      [6, 3],
    ]);
    expect((causal.mask as Tensor).toArray()).toEqual([0, 1, 2, 0, 1, 2].map((k) => [true, k > 0, k > 1]));
    const w = rng.normal([5, 5], { dtype: "float64" });
    const s = attention(w, causal).toArray() as number[][];
    expect(s[0]).toEqual([1, 0, 0]);
    const alone = attention(w, {
      tokens: slice(x, [{ stop: 1 }, { stop: 2 }]),
      queries: slice(x, [{ stop: 1 }, 1]),
      labels: [1],
    });
    expectClose(alone.toArray(), [s[1].slice(0, 2)], { absolute: 1e-15 });
    const { w: found } = await attentionSvm(causal, [0, 1, 2, 0, 0, 1]);
    expect(correlation(found, found)).toBeCloseTo(1, 12);
  });

  it("every position asks of its whole sequence where that is wanted, and not where there is no token", async () => {
    const rng = random.rng(6);
    const x = rng.normal([2, 3, 4], { dtype: "float64" });
    const labels = [
      [1, -1, 2],
      [-1, 1, 0],
    ];
    const mask = tensor([
      [1, 1, 1],
      [1, 1, 0],
    ]).cast("bool");
    const whole = positionExamples(x, labels, { causal: false, mask });
    expect(whole.mask.toArray()).toEqual([
      ...Array.from({ length: 3 }, () => [true, true, true]),
      ...Array.from({ length: 2 }, () => [true, true, false]),
    ]);
    expect(whole.labels.toArray()).toEqual([1, -1, 2, -1, 1]);
    const w = rng.normal([4, 4], { dtype: "float64" });
    const second = { tokens: slice(x, [{ start: 1 }, { stop: 2 }]), queries: slice(x, [{ start: 1 }, 1]), labels: [1] };
    expectClose(attention(w, whole).slice([4, { stop: 2 }]), attention(w, second).slice([0]), { absolute: 1e-15 });
    expect(positionExamples(x, labels, { mask }).mask.toArray()).toEqual(
      [0, 1, 2, 0, 1].map((k) => [true, k > 0, k > 1]),
    );
    expect(() => positionExamples(x, labels, { mask: tensor([[1, 1]]) })).toThrow(/mask has shape \[1,2\]/);
    expect(() => positionExamples(x, labels, { mask: mask.cast("float32").mul(0) })).toThrow(/leaves no position/);
  });

  it("tokens that are there again cannot be told apart; without them the others can", async () => {
    const { examples } = fixedProblem(2, 3, 6);
    const { tokens, queries, labels } = examples;
    const again = concatenate([tokens, slice(tokens, [null, { start: 1, stop: 2 }])], 1);
    await expect(attentionSvm({ tokens: again, queries, labels }, [1, 1])).rejects.toThrow(/withoutRepeats/);
    const once = withoutRepeats({ tokens: again, queries, labels });
    expect(once.mask.toArray()).toEqual(Array.from({ length: 2 }, () => [true, true, true, false]));
    const [found, exact] = [await attentionSvm(once, [1, 1]), await attentionSvm(examples, [1, 1])];
    expectClose(found.w, exact.w, { absolute: 1e-9 });
    const same = { tokens: slice(again, [null, { start: 3 }]), queries, labels };
    expect(() => withoutRepeats(same)).toThrow(/one token only/);
  });

  it("marginReport says what weights reach of the largest margin", async () => {
    const { examples, v } = fixedProblem(3, 4, 5);
    const { tokens } = optimalTokens(examples, v);
    const { w, margin } = await attentionSvm(examples, tokens);
    const best = await marginReport(examples, mul(w, 30));
    expect(best.selected).toEqual(tokens);
    expect(best.margin).toBeCloseTo(margin, 7);
    expect(best.largestMargin).toBeCloseTo(margin, 7);
    expect(best.correlation).toBeCloseTo(1, 9);
    expect(best.concentration).toBeGreaterThan(0.99);
    for (const unit of [1e-200, 1e200])
      expect((await marginReport(examples, mul(w, unit))).margin).toBeCloseTo(margin, 7);
    const other = await marginReport(examples, w.add(random.rng(1).normal([5, 5], { dtype: "float64" }).mul(0.2)));
    expect(other.margin).toBeLessThan(other.largestMargin);
    await expect(marginReport(examples, mul(w, 0))).rejects.toThrow("the weights are 0");
  });
});

function tensorOfScores(w: Tensor, { tokens, queries }: { tokens: Tensor; queries: Tensor }): number[][] {
  return matmul(tokens, matmul(queries, transpose(w)).reshape([3, 8, 1]))
    .reshape([3, 4])
    .toArray() as number[][];
}
