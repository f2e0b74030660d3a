import { jit, tensor, tree } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import {
  adam,
  addDecayedWeights,
  applyUpdates,
  chain,
  clipByGlobalNorm,
  type GradientTransformation,
  masked,
  minimize,
  partition,
  type Selection,
  setToZero,
  sgd,
} from "../src/index.js";

const f64 = (values: number | number[]) => tensor(values, { dtype: "float64" });
const params = {
  encoder: [
    { w: f64([1, -2]), b: f64(0.5) },
    { w: f64([3]), b: f64(-1) },
  ],
  head: f64([2, 4]),
};
const gradients = {
  encoder: [
    { w: f64([0.1, 0.2]), b: f64(0.3) },
    { w: f64([-1]), b: f64(2) },
  ],
  head: f64([5, -6]),
};

/** Three steps with the same gradients. */
function follow<S>(optimizer: GradientTransformation<S>) {
  let [at, state] = [params, optimizer.init(params)];
  for (let step = 0; step < 3; step++) {
    const update = optimizer.update(gradients, state, at);
    [at, state] = [applyUpdates(at, update.updates), update.state];
  }
  return tree.map((x) => x.toArray() as never, at);
}

describe("partition", () => {
  it("moves every parameter as the transformation would that it is given to, and keeps frozen ones", () => {
    const found = follow(
      partition(
        { slow: sgd({ learningRate: 0.01 }), fast: adam(), kept: setToZero() },
        {
          encoder: [{ w: "slow", b: "fast" }, "kept"],
          head: "fast",
        },
      ),
    );
    const [slow, fast] = [follow(sgd({ learningRate: 0.01 })), follow(adam())];
    expect(found.encoder[0]).toEqual({ w: slow.encoder[0].w, b: fast.encoder[0].b });
    expect(found.encoder[1]).toEqual({ w: [3], b: -1 });
    expect(found.head).toEqual(fast.head);
  });

  it("takes labels from paths, and keeps no buffers for what is frozen", () => {
    const optimizer = partition({ trained: adam(), frozen: setToZero() }, (path) =>
      path.startsWith("encoder") ? "frozen" : "trained",
    );
    const state = optimizer.init(params);
    expect(tree.paths(state)).toEqual(["trained.firstMoment.head", "trained.secondMoment.head", "trained.step"]);
    expect(follow(optimizer)).toEqual(
      follow(partition({ trained: adam(), frozen: setToZero() }, { encoder: "frozen", head: "trained" })),
    );
  });

  it("measures norms over its own parameters", () => {
    const clipped = () => chain(clipByGlobalNorm(1), sgd({ learningRate: 1 }));
    const moved = (optimizer: GradientTransformation) => {
      const [x, y] = follow(optimizer).head as never as number[];
      return Math.hypot(x - 2, y - 4);
    };
    const alone = partition({ clipped: clipped(), frozen: setToZero() }, { encoder: "frozen", head: "clipped" });
    expect(moved(alone)).toBeCloseTo(3, 12);
    expect(moved(clipped())).toBeLessThan(2.9);
  });

  it("compiles with the step, and its state goes through JSON", async () => {
    const optimizer = partition({ trained: adam(), frozen: setToZero() }, { encoder: "frozen", head: "trained" });
    const update = jit((g: typeof params, s: ReturnType<typeof optimizer.init>, p: typeof params) =>
      optimizer.update(g, s, p),
    );
    const eager = optimizer.update(gradients, optimizer.init(params), params);
    const state = tree.fromJson<typeof eager.state>(tree.toJson(optimizer.init(params)));
    const compiled = await update(gradients, state, params);
    expect(tree.toJson(compiled.updates)).toBe(tree.toJson(eager.updates));
  });

  it("trains a part of a model with minimize", async () => {
    const loss = (p: { a: ReturnType<typeof f64>; b: ReturnType<typeof f64> }) =>
      p.a.sub(1).square().add(p.b.sub(2).square());
    const optimizer = partition({ on: sgd({ learningRate: 0.25 }), off: setToZero() }, { a: "on", b: "off" });
    const { params: end } = await minimize(loss, { a: f64(5), b: f64(7) }, optimizer, { steps: 60 });
    expect(end.a.item()).toBeCloseTo(1, 12);
    expect(end.b.item()).toBe(7);
  });

  it("names labels that do not fit and parts that are not there", () => {
    const parts = { trained: adam(), frozen: setToZero() };
    const start = (labels: unknown) => () => partition(parts, labels as Selection<"trained" | "frozen">).init(params);
    expect(start("froze")).toThrow(
      'partition: there is no part "froze"; did you mean "frozen"? Parts: trained, frozen',
    );
    expect(start({ encoder: "frozen" })).toThrow("partition: the choice for the parameters does not fit");
    expect(start({ encoder: ["frozen"], head: "trained" })).toThrow(
      "the choice for encoder does not fit [{b: *, w: *}, {b: *, w: *}]",
    );
    expect(start(() => undefined)).toThrow('there is no part "undefined". Parts');
    expect(start(null)).toThrow("does not fit");
  });
});

describe("masked", () => {
  it("acts where the mask is true and hands on what comes in elsewhere", () => {
    const decay = masked(addDecayedWeights(0.5), (path) => path.endsWith("w"));
    const { updates } = decay.update(gradients, decay.init(params), params);
    expect(updates.encoder[0].w.toArray()).toEqual([0.1 + 0.5, 0.2 - 1]);
    expect(updates.encoder[1].w.toArray()).toEqual([0.5]);
    expect(updates.encoder[0].b.item()).toBe(0.3);
    expect(updates.head.toArray()).toEqual([5, -6]);
  });

  it("is the transformation itself under a mask of true, and nothing under one of false", () => {
    expect(follow(masked(adam(), true))).toEqual(follow(adam()));
    const idle = masked(adam(), false);
    expect(idle.update(gradients, idle.init(params), params).updates).toEqual(gradients);
  });

  it("refuses masks that are not of true and false", () => {
    expect(() => masked(adam(), { encoder: true, head: "yes" as never }).init(params)).toThrow("the mask gives yes");
    expect(() => masked(adam as never, true)).toThrow(
      "masked: the first argument is no transformation; give one, such as adam()",
    );
  });
});
