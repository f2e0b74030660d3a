import {
  add,
  cast,
  concatenate,
  div,
  exp,
  eye,
  matmul,
  mul,
  random,
  slice,
  square,
  sub,
  sum,
  type Tensor,
  tanh,
  transpose,
  tril,
  valueAndGrad,
  zeros,
} from "@offprint/tensor-core";
import { expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { adaptedHead, draw } from "../claims/problem.js";
import { softmaxRows } from "../src/exact-gradient.js";
import { almostLinearAttention, baselineGradients, type Head, loraGradients } from "../src/index.js";

const rng = () => random.rng("gradients");

describe("the exact gradient", () => {
  it("is that of automatic differentiation, whatever the chunks and the mask", async () => {
    const r = rng();
    for (const causal of [false, true]) {
      const head = { ...adaptedHead(r, 6, 4, 2), causal };
      const x = draw(r, [23, 6]);
      const target = draw(r, [23, 4]);
      const theirs = await baselineGradients(x, head, { target }, { method: "autograd" });
      for (const chunk of [1, 5, 100]) {
        const { b, a, weights, loss } = await loraGradients(x, head, { target }, { strategy: "exact", chunk });
        expectClose({ b, a, weights }, { b: theirs.b, a: theirs.a, weights: theirs.weights }, { absolute: 1e-12 });
        expect(loss).toBeCloseTo(theirs.loss ?? Number.NaN, 12);
      }
    }
  });

  it("goes on from the gradient of any network above", async () => {
    const r = rng();
    const [x, above] = [draw(r, [12, 5]), draw(r, [3, 2])];
    const [q, k, v] = [draw(r, [5, 3]), draw(r, [5, 3]), draw(r, [5, 3])];
    const network = (o: Tensor) => sum(square(tanh(matmul(o, above))));
    const whole = (w: { q: Tensor; k: Tensor; v: Tensor }) =>
      network(matmul(softmaxRows(matmul(x, w.q), matmul(x, w.k), 0.3), matmul(x, w.v)));
    const [, expected] = valueAndGrad(whole)({ q, k, v });
    const { output } = await loraGradients(x, { q, k, v, beta: 0.3 }, { gradient: zeros([12, 3], "float64") });
    const [, gradient] = valueAndGrad(network)(output);
    const { weights, loss, bound } = await loraGradients(
      x,
      { q, k, v, beta: 0.3 },
      { gradient },
      { strategy: "exact" },
    );
    expectClose(weights, expected, { absolute: 1e-12 });
    expect([loss, bound]).toEqual([undefined, undefined]);
  });

  it("by A is 0 where B is, scales by alpha, and with identity factors is that of the whole weight", async () => {
    const r = rng();
    const [x, target, weight] = [draw(r, [9, 4]), draw(r, [9, 4]), draw(r, [4, 4])];
    const zeroB = (alpha: number, scaling?: "rslora") => ({
      weight,
      b: zeros([4, 2], "float64"),
      a: slice(weight, [{ stop: 2 }]),
      alpha,
      ...(scaling && { scaling }),
    });
    const of = async (alpha: number, scaling?: "rslora") =>
      loraGradients(
        x,
        { q: zeroB(alpha, scaling), k: weight, v: zeroB(alpha, scaling) },
        { target },
        { strategy: "exact" },
      );
    const [one, three, stable] = [await of(2), await of(6), await of(2, "rslora")];
    expect(one.a.q?.data().every((value) => value === 0)).toBe(true);
    expect(one.b.k).toBe(null);
    expectClose(three.b.q as Tensor, mul(one.b.q as Tensor, 3), { relative: 1e-12 });
    expectClose(stable.b.q as Tensor, mul(one.b.q as Tensor, Math.SQRT2), { relative: 1e-12 });
    const identity = { weight: zeros([4, 4], "float64"), b: eye(4, 4, "float64"), a: weight };
    const full = await loraGradients(x, { q: identity, k: weight, v: weight }, { target }, { strategy: "exact" });
    expectClose(full.a.q as Tensor, full.weights.q, { absolute: 1e-14 });
  });

  it("adds the bias of a projection", async () => {
    const r = rng();
    const [x, w, bias] = [draw(r, [7, 3]), draw(r, [3, 2]), draw(r, [2])];
    const widened = concatenate([x, mul(slice(x, [null, { stop: 1 }]), 0).add(1)], 1);
    const tall = (b: Tensor) => concatenate([w, b.reshape([1, 2])]);
    const upstream = { target: draw(r, [7, 2]) };
    const none = zeros([2], "float64");
    const a = await loraGradients(x, { q: { weight: w, bias }, k: w, v: { weight: w, bias } }, upstream);
    const b = await loraGradients(widened, { q: tall(bias), k: tall(none), v: tall(bias) }, upstream);
    expectClose(a.output, b.output, { absolute: 1e-14 });
    expectClose(a.weights.q, slice(b.weights.q, [{ stop: 3 }]), { absolute: 1e-13 });
  });
});

describe("the almost linear gradient", () => {
  it("comes nearer with the degree, until rounding, causal or not, whatever the chunks", async () => {
    const r = rng();
    for (const causal of [false, true]) {
      const head = { ...adaptedHead(r, 5, 3, 2), causal, beta: 0.1 };
      const [x, target] = [draw(r, [50, 5]), draw(r, [50, 3])];
      const exact = await loraGradients(x, head, { target }, { strategy: "exact" });
      const errors: number[] = [];
      for (const degree of [2, 4, 6, 8, 14]) {
        const all = [];
        for (const chunk of [8, 50]) {
          const found = await loraGradients(x, head, { target }, { strategy: "almostLinear", degree, chunk });
          all.push(found.weights);
          errors.push(
            Math.max(...(["q", "k", "v"] as const).map((name) => largest(found.weights[name], exact.weights[name]))),
          );
        }
        expectClose(all[0], all[1], { absolute: 1e-11 });
      }
      const every = errors.filter((_, i) => i % 2 === 0);
      for (let i = 1; i < 4; i++) expect(every[i]).toBeLessThan(every[i - 1]);
      expect(every[4]).toBeLessThan(1e-10);
    }
  });

  it("is never further off than certified, in a hundred cases", async () => {
    const r = random.rng("bounds");
    for (let run = 0; run < 100; run++) {
      const causal = run % 2 === 0;
      const head = { ...adaptedHead(r, 4, 3, 1), causal, beta: 0.05 + 0.2 * r.uniform([]).item() };
      const [x, other] = [mul(draw(r, [20, 4]), 0.7), draw(r, [20, 3])];
      const upstream = run % 4 < 2 ? { target: other } : { gradient: other };
      const degree = run % 3 === 0 ? 4 : 10;
      const exact = await loraGradients(x, head, upstream, { strategy: "exact" });
      const found = await loraGradients(x, head, upstream, { strategy: "almostLinear", degree });
      const { bound } = found;
      for (const name of ["q", "k", "v"] as const) {
        expect(largest(found.weights[name], exact.weights[name])).toBeLessThanOrEqual(bound?.weights[name] ?? 0);
        expect(largest(found.b[name] as Tensor, exact.b[name] as Tensor)).toBeLessThanOrEqual(bound?.b[name] ?? 0);
        expect(largest(found.a[name] as Tensor, exact.a[name] as Tensor)).toBeLessThanOrEqual(bound?.a[name] ?? 0);
      }
      const { output, bound: outputBound } = await almostLinearAttention(x, head, { degree });
      expect(largest(output, exact.output)).toBeLessThanOrEqual(outputBound);
    }
  });

  it("has rows of weights that sum to 1, and rows of p that sum to 0: a shift of all values or keys changes nothing", async () => {
    const r = rng();
    const [x, q, k, v] = [draw(r, [30, 4]), draw(r, [4, 3], 0.3), draw(r, [4, 3], 0.3), draw(r, [4, 3])];
    const shift = draw(r, [3]);
    const options = { epsilon: 1e-3 };
    const plain = await almostLinearAttention(x, { q, k, v }, options);
    const moved = await almostLinearAttention(x, { q, k, v: { weight: v, bias: shift } }, options);
    expectClose(moved.output, add(plain.output, shift), { absolute: 1e-12 });
    const gradient = draw(r, [30, 3]);
    const a = await loraGradients(x, { q, k, v }, { gradient }, { ...options, strategy: "almostLinear" });
    const b = await loraGradients(
      x,
      { q, k, v: { weight: v, bias: shift } },
      { gradient },
      { ...options, strategy: "almostLinear" },
    );
    expectClose(a.weights.q, b.weights.q, { absolute: 1e-11 });
  });

  it("is found for tokens of any small size, whose scores vanish", async () => {
    const r = rng();
    const [x, target] = [draw(r, [20, 4]), draw(r, [20, 3])];
    const head = { q: draw(r, [4, 3]), k: draw(r, [4, 3]), v: draw(r, [4, 3]) };
    for (const size of [1e-20, 1e-80, 1e-150]) {
      const tokens = mul(x, size);
      const exact = await loraGradients(tokens, head, { target }, { strategy: "exact" });
      const near = await loraGradients(tokens, head, { target }, { strategy: "almostLinear", degree: 4 });
      expectClose(near.weights.v, exact.weights.v, { absolute: 1e-13 * size });
    }
  });

  it("with center subtracts the mean key, which lowers R on average and changes no exact gradient", async () => {
    const r = rng();
    let lower = 0;
    for (let run = 0; run < 20; run++) {
      const x = add(draw(r, [40, 4]), draw(r, [4]));
      const head = { q: draw(r, [4, 3], 0.3), k: draw(r, [4, 3], 0.3), v: draw(r, [4, 3]) };
      const target = draw(r, [40, 3]);
      const [kept, centred] = [
        await loraGradients(x, head, { target }, { strategy: "exact" }),
        await loraGradients(x, head, { target }, { strategy: "exact", center: true }),
      ];
      expectClose(centred.weights, kept.weights, { absolute: 1e-11 });
      lower += Math.log(centred.range / kept.range);
    }
    expect(lower).toBeLessThan(0);
  });

  it("with center is that of a causal head too, within what is certified", async () => {
    const r = rng();
    const x = add(draw(r, [40, 4]), draw(r, [4]));
    const head = { q: draw(r, [4, 3], 0.2), k: draw(r, [4, 3], 0.2), v: draw(r, [4, 3]), causal: true };
    const upstream = { gradient: draw(r, [40, 3]) };
    const options = { strategy: "almostLinear", degree: 6, center: true } as const;
    const exact = await loraGradients(x, head, upstream, { strategy: "exact" });
    const [near, kept] = [
      await loraGradients(x, head, upstream, options),
      await loraGradients(x, head, upstream, { ...options, center: false }),
    ];
    for (const name of ["q", "k", "v"] as const) {
      expect(largest(near.weights[name], exact.weights[name])).toBeLessThan(near.bound?.weights[name] ?? 0);
    }
    expect(near.range).toBeLessThan(kept.range);
    expect(near.bound?.largest).toBeLessThan(kept.bound?.largest ?? 0);
  });

  it("keeps four digits in float32", async () => {
    const r = rng();
    const [x, q, k, v] = [draw(r, [60, 4]), draw(r, [4, 3], 0.2), draw(r, [4, 3], 0.2), draw(r, [4, 3])];
    const target = draw(r, [60, 3]);
    const single = (y: Tensor) => cast(y, "float32");
    const head = { q: single(q), k: single(k), v: single(v), beta: 0.3 };
    const small = await loraGradients(
      single(x),
      head,
      { target: single(target) },
      { strategy: "almostLinear", degree: 10 },
    );
    expect(small.weights.q.dtype).toBe("float32");
    expect(small.range).toBeLessThan(1);
    const exact = await loraGradients(x, { q, k, v, beta: 0.3 }, { target }, { strategy: "exact" });
    for (const name of ["q", "k", "v"] as const) {
      const size = Math.max(...exact.weights[name].abs().data());
      expect(largest(cast(small.weights[name], "float64"), exact.weights[name])).toBeLessThan(1e-4 * size);
    }
  });

  it('is what "auto" takes where it is less work and certain enough, and not otherwise', async () => {
    const r = rng();
    const [q, k, v] = [draw(r, [4, 2], 0.2), draw(r, [4, 2], 0.2), draw(r, [4, 2])];
    const x = draw(r, [600, 4]);
    const target = draw(r, [600, 2]);
    const auto = (head: Head, tolerance: number) => loraGradients(x, head, { target }, { tolerance });
    const near = await auto({ q, k, v }, 1e-3);
    expect(near.strategy).toBe("almostLinear");
    expect(near.bound?.largest).toBeLessThanOrEqual(1e-3);
    const exact = await loraGradients(x, { q, k, v }, { target }, { strategy: "exact" });
    expect(largest(near.weights.k, exact.weights.k)).toBeLessThan(1e-3);
    expect((await auto({ q, k, v }, 1e-14)).strategy).toBe("exact");
    expect((await auto({ q: mul(q, 40), k: mul(k, 40), v }, 1e-3)).strategy).toBe("exact");
    const short = await loraGradients(slice(x, [{ stop: 20 }]), { q, k, v }, { target: slice(target, [{ stop: 20 }]) });
    expect(short.strategy).toBe("exact");
  });
});

describe("baselines", () => {
  it("random features come nearer with their number; a full rank, and attention that is uniform, are exact", async () => {
    const r = rng();
    const [x, target] = [mul(draw(r, [40, 4]), 0.5), draw(r, [40, 3])];
    const head = { q: draw(r, [4, 3], 0.3), k: draw(r, [4, 3], 0.3), v: draw(r, [4, 3]) };
    const exact = await loraGradients(x, head, { target }, { strategy: "exact" });
    const error = async (features: number) => {
      const { weights } = await baselineGradients(x, head, { target }, { method: "randomFeatures", features });
      return largest(weights.v, exact.weights.v);
    };
    expect(await error(4000)).toBeLessThan(0.3 * (await error(10)));
    const svd = await baselineGradients(x, head, { target }, { method: "truncatedSvd", rank: 40 });
    expectClose(svd.weights, exact.weights, { absolute: 1e-11 });
    const poor = await baselineGradients(x, head, { target }, { method: "truncatedSvd", rank: 1 });
    expect(largest(poor.weights.q, exact.weights.q)).toBeGreaterThan(1e-6);
    const frozen = await baselineGradients(x, head, { target }, { method: "frozenAttention" });
    expectClose(frozen.weights.v, exact.weights.v, { absolute: 1e-12 });
    expect(frozen.weights.q.data().every((value) => value === 0)).toBe(true);
  });

  it("as many random features are a thousand times further off, at norm 1", async () => {
    const r = rng();
    const [x, gradient] = [draw(r, [256, 4]), draw(r, [256, 4])];
    const unit = (w: Tensor) => div(w, Math.max(...matmul(x, w).abs().data()));
    const head = { q: unit(draw(r, [4, 4])), k: unit(draw(r, [4, 4])), v: draw(r, [4, 4]), beta: 0.25 };
    const exact = await loraGradients(x, head, { gradient }, { strategy: "exact" });
    const near = await loraGradients(x, head, { gradient }, { strategy: "almostLinear", degree: 6 });
    const { features = 0 } = near;
    const drawn = await baselineGradients(x, head, { gradient }, { method: "randomFeatures", features });
    for (const name of ["q", "k", "v"] as const) {
      const [ours, theirs] = [near, drawn].map(({ weights }) => largest(weights[name], exact.weights[name]));
      expect(theirs).toBeGreaterThan(1e3 * ours);
    }
  });

  it("are causal where the head is", async () => {
    const r = rng();
    const [x, target] = [mul(draw(r, [12, 4]), 0.5), draw(r, [12, 3])];
    const head = { q: draw(r, [4, 3], 0.3), k: draw(r, [4, 3], 0.3), v: draw(r, [4, 3]), causal: true };
    const { output } = await baselineGradients(x, head, { target }, { method: "autograd" });
    const scores = exp(mul(matmul(matmul(x, head.q), transpose(matmul(x, head.k))), 1 / Math.sqrt(3)));
    const f = tril(scores);
    const expected = matmul(div(f, sum(f, { axis: 1, keepDims: true })), matmul(x, head.v));
    expectClose(output, expected, { absolute: 1e-14 });
  });
});

function largest(a: Tensor, b: Tensor): number {
  return Math.max(...sub(a, b).abs().data());
}
