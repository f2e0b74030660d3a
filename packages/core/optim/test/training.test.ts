import {
  add,
  type Backend,
  div,
  matmul,
  mul,
  NonFiniteError,
  random,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  tree,
} from "@offprint/tensor-core";
import { errorLike } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  adam,
  chain,
  clipByGlobalNorm,
  meanSquaredError,
  minimize,
  sgd,
  type TrainingState,
  type TrainOptions,
  train,
} from "../src/index.js";

/** A backend that runs graphs on the host and counts what it compiled. */
function countingBackend(): Backend & { compiled: number; released: number } {
  return {
    name: "counting",
    device: "host",
    compiled: 0,
    released: 0,
    async compile(graph) {
      this.compiled++;
      return {
        run: async (inputs) => graph.apply(inputs),
        release: async () => {
          this.released++;
        },
      };
    },
  };
}

interface Line {
  w: Tensor;
  b: Tensor;
}

const rows = 12;

interface Batch {
  readonly x: Tensor;
  readonly y: Tensor;
}

/** Four shuffled batches of three points of a line. */
function* batches(_: number, rng: random.Rng) {
  const x = random.rng("points").normal([rows, 2], { dtype: "float64" });
  const order = Array.from(rng.permutation(rows).data());
  for (let from = 0; from < rows; from += 3) {
    const picked = order.slice(from, from + 3).map((i) => x.slice([i]).toArray());
    const xs = tensor(picked as number[][], { dtype: "float64" });
    yield { x: xs, y: add(matmul(xs, tensor([2, -1], { dtype: "float64" })), 0.5) };
  }
}

function options<M = null>(
  more: Partial<TrainOptions<Line, Batch, M, Tensor | null>> = {},
): TrainOptions<Line, Batch, M, Tensor | null> {
  return {
    loss: (p, { x, y }, { noise }) =>
      meanSquaredError(add(add(matmul(x, p.w), p.b), noise === null ? 0 : mul(noise, 0.01)), y),
    initial: { w: tensor([0, 0], { dtype: "float64" }), b: tensor(0, { dtype: "float64" }) },
    optimizer: adam({ learningRate: 0.05 }),
    data: batches,
    epochs: 5,
    seed: 3,
    ...more,
  };
}

describe("train", () => {
  it("fits a line, records every loss and reports progress", async () => {
    const seen: number[] = [];
    const result = await train(
      options({
        epochs: 100,
        onProgress: ({ step }) => seen.push(step),
        evaluate: (p) => ({ b: p.b.item() }),
      }),
    );
    expect([result.status, result.epochs, result.steps]).toEqual(["limit", 100, 400]);
    expect(seen).toEqual(result.history.map(({ step }) => step));
    const judged = result.history.filter(({ evaluation }) => evaluation !== undefined);
    expect(judged.map(({ epoch, batch }) => [epoch, batch])).toEqual(Array.from({ length: 100 }, (_, e) => [e, 4]));
    expect(judged[99].evaluation).toEqual({ b: result.params.b.item() });
    expect(result.history[399].loss).toBeLessThan(1e-3);
    expect(result.params.b.item()).toBeCloseTo(0.5, 1);
  });

  it("goes on bit by bit from a checkpoint in the middle of an epoch, noise included", async () => {
    const noisy = options({ noise: (rng) => rng.normal([3], { dtype: "float64" }) });
    const saved: string[] = [];
    const whole = await train({ ...noisy, checkpoint: { every: 7, save: (state) => saved.push(tree.toJson(state)) } });
    expect(saved.length).toBe(2);
    for (const text of saved) {
      const resume: TrainingState<Line> = tree.fromJson(text);
      expect(resume.inner.batch).toBeGreaterThan(0);
      const rest = await train({ ...noisy, resume });
      expect(tree.toJson({ ...rest, status: 0 })).toBe(tree.toJson({ ...whole, status: 0 }));
    }
  });

  it("saves after each epoch unless told otherwise", async () => {
    const epochs: number[] = [];
    await train(options({ epochs: 3, checkpoint: { save: ({ inner }) => epochs.push(inner.epoch) } }));
    expect(epochs).toEqual([1, 2, 3]);
  });

  it("stops at a signal, keeps its state, and finishes later as if nothing had been", async () => {
    const controller = new AbortController();
    const stopped = await train(
      options({ signal: controller.signal, onProgress: ({ step }) => step === 6 && controller.abort() }),
    );
    expect([stopped.status, stopped.steps, stopped.epochs, stopped.state.inner.batch]).toEqual(["aborted", 6, 1, 2]);
    const finished = await train(options({ resume: stopped.state }));
    const whole = await train(options());
    expect(finished.history).toEqual(whole.history);
    expect(tree.toJson(finished.params)).toBe(tree.toJson(whole.params));
    expect((await train(options({ onProgress: () => "stop" }))).status).toBe("stopped");
  });

  it("compiles the step once and frees it", async () => {
    const backend = countingBackend();
    const compiled = await train(options({ backend }));
    expect([backend.compiled, backend.released]).toEqual([1, 1]);
    const eager = await train(options());
    compiled.history.forEach(({ loss }, i) => expect(loss).toBeCloseTo(eager.history[i].loss, 10));
  });

  it("carries a state of the model along", async () => {
    const result = await train(
      options({
        loss: (p, { x, y }, { modelState }) => [
          meanSquaredError(add(matmul(x, p.w), p.b), y),
          { batches: add(modelState.batches, 1) },
        ],
        modelState: { batches: tensor(0) },
        figures: ({ batches }) => ({ batches: batches.item() }),
        backend: countingBackend(),
      }),
    );
    expect(result.modelState.batches.item()).toBe(20);
    expect(result.history.map(({ figures }) => figures?.["batches"])).toEqual(
      Array.from({ length: 20 }, (_, k) => k + 1),
    );
  });

  it.each([undefined, countingBackend()])(
    "stops at a loss that is not finite and hands over the last good state",
    async (backend) => {
      const bad = options({
        loss: (p, { x, y }, { modelState }) => [
          div(meanSquaredError(add(matmul(x, p.w), p.b), y), sub(5, modelState)),
          add(modelState, 1),
        ],
        modelState: tensor(0, { dtype: "float64" }),
        ...(backend && { backend }),
      });
      const error = await train(bad).then(
        () => undefined,
        (reason) => reason,
      );
      expect(error).toBeInstanceOf(NonFiniteError);
      expect(error.name).toBe("NonFiniteError");
      expect(error.message).toMatch(/train: iteration 6: epoch 1, batch 1/);
      expect(error.state.iterations).toBe(5);
      expect(error.state.inner.params.w.toArray().every(Number.isFinite)).toBe(true);
    },
  );

  it("rejects data and options that lead nowhere", async () => {
    await expect(train(options({ data: () => [] }))).rejects.toThrow(/no batches/);
    for (const data of [() => 3, () => null, async () => []]) {
      const refused = train(options({ data: data as never }));
      await expect(refused).rejects.toThrow(errorLike("ValueError", /train: data of epoch 0 cannot be iterated/));
    }
    for (const optimizer of [null, "adam", { init: () => null }]) {
      const refused = train(options({ optimizer: optimizer as never }));
      await expect(refused).rejects.toThrow(errorLike("ValueError", /train: optimizer has no init and update/));
    }
    await expect(train(options({ loss: 3 as never }))).rejects.toThrow(errorLike("ValueError", /train: loss/));
    for (const wrong of [{ data: () => [] }, { epochs: -1 }, { checkpoint: 3 as never }, { resume: {} as never }]) {
      await expect(train(options({ ...wrong, owner: "fit" }))).rejects.toThrow(errorLike("ValueError", /^fit: /));
    }
    await expect(train(options({ epochs: -1 }))).rejects.toThrow(/epochs/);
    await expect(train(options({ checkpoint: { every: 0, save: () => {} } }))).rejects.toThrow(/checkpoint.every/);
    const { state } = await train(options({ epochs: 1 }));
    const elsewhere = { ...state, inner: { ...state.inner, epoch: 0, batch: 9 } };
    await expect(train(options({ resume: elsewhere }))).rejects.toThrow(/same data/);
    await expect(train({ ...options(), params: {} } as never)).rejects.toThrow(/no option "params"/);
  });
});

describe("minimize", () => {
  const loss = (x: Tensor) => sum(square(sub(x, 3)));
  const start = tensor([0, 10], { dtype: "float64" });

  it("finds the minimum, eager and compiled alike", async () => {
    const run = (backend?: Backend) =>
      minimize(loss, start, sgd({ learningRate: 0.25 }), { steps: 60, ...(backend && { backend }) });
    const [eager, compiled] = [await run(), await run(countingBackend())];
    expect(eager.params.toArray()).toEqual(compiled.params.toArray());
    expect(eager.params.data()[0]).toBeCloseTo(3, 12);
    expect(eager.history[0]).toMatchObject({ step: 1, loss: 58 });
  });

  it("stops when the gradient is small, when told to, and at a signal", async () => {
    const optimizer = sgd({ learningRate: 0.25 });
    const small = await minimize(loss, start, optimizer, { steps: 1000, gradientTolerance: 1e-6 });
    expect(small.status).toBe("converged");
    expect(small.steps).toBeLessThan(40);
    const told = await minimize(loss, start, optimizer, {
      steps: 9,
      onProgress: ({ step }) => (step === 4 ? "stop" : 0),
    });
    expect([told.status, told.steps]).toEqual(["stopped", 4]);
    const signal = AbortSignal.abort();
    expect(await minimize(loss, start, optimizer, { steps: 9, signal })).toMatchObject({ status: "aborted", steps: 0 });
  });

  it("goes on from a state", async () => {
    const optimizer = adam({ learningRate: 0.1 });
    const whole = await minimize(loss, start, optimizer, { steps: 10 });
    const half = await minimize(loss, start, optimizer, { steps: 5 });
    const { optimizerState } = half;
    const rest = await minimize(loss, half.params, optimizer, { steps: 5, optimizerState });
    expect(rest.params.toArray()).toEqual(whole.params.toArray());
  });

  it("gives the loss the number of the update", async () => {
    const moving = (x: Tensor, step: Tensor) => square(sub(x, step));
    const { history } = await minimize(moving, tensor(0, { dtype: "float64" }), sgd({ learningRate: 0.5 }), {
      steps: 3,
    });
    expect(history.map(({ loss }) => loss)).toEqual([1, 1, 1]);
  });

  it("goes on with clipped gradients whose squares overflow, and refuses to stand still without clipping", async () => {
    const steep = (x: Tensor) => mul(sum(square(x)), 1e20);
    const clipped = chain(clipByGlobalNorm(1), sgd({ learningRate: 0.01 }));
    const { params, history } = await minimize(steep, tensor([1, -2]), clipped, { steps: 300 });
    expect(history[0].gradientNorm).toBeCloseTo(2e20 * Math.sqrt(5), -15);
    expect(params.abs().max().item()).toBeLessThan(0.01);
    await expect(minimize(steep, tensor([1, -2]), adam(), { steps: 3 })).rejects.toThrow(
      /the optimizer cannot hold its square: the step was not taken; clip the gradients/,
    );
  });

  it("hands over the last good parameters when it diverges", async () => {
    const error = await minimize((x) => square(square(x)), tensor(5), sgd({ learningRate: 1 }), { steps: 50 }).catch(
      (reason) => reason,
    );
    expect(error).toBeInstanceOf(NonFiniteError);
    expect(Number.isFinite(error.state.inner.params.item())).toBe(true);
    expect(error.state.iterations).toBeGreaterThan(0);
  });
});
