import { standardization } from "@offprint/data";
import { iris } from "@offprint/datasets";
import { type OnnxRuntime, onnxRuntime } from "@offprint/onnx-runtime";
import { accuracy, crossEntropy } from "@offprint/optim";
import {
  add,
  hostBackend,
  matmul,
  mean,
  NonFiniteError,
  ones,
  random,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  tree,
  zeros,
} from "@offprint/tensor-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cboTrain, type EpochRecord, type SwarmModel, type SwarmTrainingResult, treeModel } from "../src/index.js";
import { dispersion, reducedCount } from "../src/particle-reduction.js";

let backend: OnnxRuntime;
beforeAll(async () => {
  backend = await onnxRuntime({ device: "cpu", threads: 1 });
});
afterAll(() => backend.release());

const values = (x: Tensor) => Array.from(x.data());
const template = { w: zeros([4, 3]), b: zeros([3]) };
const flowers = iris();
const data = { inputs: standardization(flowers.inputs).apply(flowers.inputs), targets: flowers.targets };
const scores = (p: typeof template, x: Tensor) => add(matmul(x, p.w), p.b);
const classifier = treeModel(template, (p, batch: typeof data) => crossEntropy(scores(p, batch.inputs), batch.targets));

/** `1/2 ||theta - target||^2`, whatever the batch. */
const target = tensor([1, -2, 0.5], { dtype: "float64" });
const bowl: SwarmModel = { parameters: 3, loss: (theta) => sum(square(sub(theta, target)), { axis: 1 }).mul(0.5) };
const noData = { inputs: zeros([8, 1], "float64"), targets: zeros([8], "float64") };
const small = { particles: 20, batchParticles: 5, batchSize: 4, epochs: 3 };

describe("training without gradients", () => {
  it("learns Iris, and the accuracy is recorded after each epoch", async () => {
    const evaluate = (theta: Tensor) => ({
      accuracy: accuracy(scores(classifier.toTree(theta), data.inputs), data.targets).item(),
    });
    const options = { epochs: 10, batchSize: 30, seed: 1, evaluate };
    const { theta, objective, history, status, epochs } = await cboTrain(classifier, data, options);
    expect([status, epochs]).toEqual(["limit", 10]);
    expect(objective).toBeLessThan(0.5);
    expect(objective).toBeCloseTo(crossEntropy(scores(classifier.toTree(theta), data.inputs), data.targets).item(), 5);
    expect(history[9].figures.accuracy).toBeGreaterThan(0.8);
    expect(history[9].loss).toBeLessThan(history[0].loss);
    expect(history[9].evaluations).toBe(10 * 5 * 10 * 10);
  });

  it("on a backend agrees with the own compiler, for full and partial updates", async () => {
    for (const batchUpdate of ["full", "partial"] as const) {
      const options = { ...small, batchSize: 64, epochs: 2, batchUpdate, dtype: "float64" as const };
      const eager = await cboTrain(classifier, data, options);
      const compiled = await cboTrain(classifier, data, { ...options, backend });
      values(compiled.state.inner.particles).forEach((x, i) => {
        expect(x).toBeCloseTo(values(eager.state.inner.particles)[i], 9);
      });
      values(compiled.theta).forEach((x, i) => {
        expect(x).toBeCloseTo(values(eager.theta)[i], 9);
      });
    }
  });

  it("makes the steps of the method: shuffled batches, consensus, move", async () => {
    const start = random.rng(3).normal([4, 3], { dtype: "float64" });
    const options = { particles: 4, batchParticles: 2, batchSize: 8, epochs: 1, initial: start, alpha: 2, sigma: 0.6 };
    const {
      state: { inner: state },
      history,
    } = await cboTrain(bowl, noData, options);
    const [, shuffles, noise] = random.rng("0/epoch/1").split(5);
    const order = values(shuffles.permutation(4));
    const normals = values(noise.normal([2, 4, 3], { dtype: "float64" }));
    const V = start.toArray() as number[][];
    const energy = (v: number[]) => 0.5 * v.reduce((s, x, j) => s + (x - values(target)[j]) ** 2, 0);
    let loss = 0;
    for (let b = 0; b < 2; b++) {
      const rows = order.slice(2 * b, 2 * b + 2);
      const weights = rows.map((i) => Math.exp(-2 * energy(V[i])));
      const total = weights[0] + weights[1];
      const m = [0, 1, 2].map((j) => (weights[0] * V[rows[0]][j] + weights[1] * V[rows[1]][j]) / total);
      loss += (weights[0] * energy(V[rows[0]]) + weights[1] * energy(V[rows[1]])) / total / 2;
      V.forEach((v, i) => {
        for (let j = 0; j < 3; j++) {
          const u = v[j] - m[j];
          v[j] = m[j] + 0.9 * u + 0.6 * Math.sqrt(0.1) * Math.abs(u) * normals[(b * 4 + i) * 3 + j];
        }
      });
    }
    values(state.particles).forEach((x, i) => {
      expect(x).toBeCloseTo(V.flat()[i], 11);
    });
    expect(history[0].loss).toBeCloseTo(loss, 11);
  });

  it("cools: sigma by 1 / log2(e + 1), alpha by 2^(e - 1)", async () => {
    const { history } = await cboTrain(bowl, noData, small);
    expect(history.map(({ alpha }) => alpha)).toEqual([50, 100, 200]);
    history.forEach(({ sigma }, e) => {
      expect(sigma).toBeCloseTo(Math.sqrt(0.4) / Math.log2(e + 2), 12);
    });
    const warm = await cboTrain(bowl, noData, { ...small, cooling: false });
    expect(warm.history.map(({ alpha }) => alpha)).toEqual([50, 50, 50]);
  });

  it("shakes all particles where the consensus stands still, on a backend as well", async () => {
    const initial = new Array(20).fill([1, 1, 1]);
    const options = { ...small, initial, epochs: 1 };
    const run = await cboTrain(bowl, noData, options);
    // All agree: the second consensus equals the first, and everybody is shaken by sigma sqrt(dt).
    expect(run.history[0].restarts).toBeGreaterThan(0);
    expect(run.history[0].spread).toBeGreaterThan(0.1);
    const compiled = await cboTrain(bowl, noData, { ...options, backend });
    values(compiled.state.inner.particles).forEach((x, i) => {
      expect(x).toBeCloseTo(values(run.state.inner.particles)[i], 10);
    });
    expect(compiled.history[0].restarts).toBe(run.history[0].restarts);
  });

  it("makes the same steps where a large swarm stays in compiled memory, shaken or not", async () => {
    const wide: SwarmModel = { parameters: 9000, loss: (theta) => sum(square(sub(theta, 0.5)), { axis: 1 }) };
    const starts = { apart: random.rng(1).normal([20, 9000]), together: ones([20, 9000]) };
    for (const [name, initial] of Object.entries(starts)) {
      const options = { ...small, initial, alpha: 1 };
      const own = await cboTrain(wide, noData, options);
      const copied = await cboTrain(wide, noData, { ...options, backend: hostBackend });
      expect(tree.toJson(own)).toBe(tree.toJson(copied));
      expect(own.history[0].restarts > 0).toBe(name === "together");
      expect(values(own.state.inner.particles).every(Number.isFinite)).toBe(true);
    }
  });

  it("drops particles as their variance falls, whole batches, never more than a fifth", async () => {
    const {
      history,
      state: { inner: state },
    } = await cboTrain(bowl, noData, { ...small, particles: 40, epochs: 12, reduction: true });
    const counts = history.map(({ particles }) => particles);
    [40, ...counts].slice(0, -1).forEach((before, e) => {
      expect(counts[e] % 5).toBe(0);
      expect(counts[e]).toBeLessThanOrEqual(before);
      expect(counts[e]).toBeGreaterThanOrEqual(0.8 * before);
    });
    expect(counts[11]).toBeLessThan(40);
    expect(state.particles.shape).toEqual([counts[11], 3]);
  });

  it("reduces by the published rule", () => {
    expect(reducedCount(100, 10, 1, 1)).toBe(100);
    expect(reducedCount(100, 10, 0.5, 1)).toBe(90); // 0.2 / 2 + 0.8
    expect(reducedCount(100, 10, 0, 1)).toBe(80);
    expect(reducedCount(100, 10, 5, 1)).toBe(100);
    expect(reducedCount(100, 10, 0, 0)).toBe(100);
    const { variance, spread } = dispersion(
      tensor(
        [
          [0, 0],
          [2, 4],
        ],
        { dtype: "float64" },
      ),
    );
    expect(variance).toBeCloseTo(Math.hypot(1, 4), 12);
    expect(spread).toBeCloseTo(Math.sqrt(5), 12);
  });

  it("repeats with its seed, and goes on from a saved state bit by bit", async () => {
    const saved: SwarmTrainingResult["state"][] = [];
    const options = { ...small, epochs: 6, reduction: true };
    const whole = await cboTrain(bowl, noData, options);
    await cboTrain(bowl, noData, { ...options, checkpoint: { every: 2, save: (state) => saved.push(state) } });
    expect(saved.map(({ iterations }) => iterations)).toEqual([2, 4, 6]);
    const rest = await cboTrain(bowl, noData, { ...options, resume: saved[0] });
    expect(values(rest.theta)).toEqual(values(whole.theta));
    expect(rest.history).toEqual(whole.history);
  });

  it("warns of a drift that overshoots", async () => {
    const data = { inputs: zeros([4, 1]), targets: zeros([4]) };
    const bowl = { parameters: 2, loss: (theta: Tensor) => theta.square().sum({ axis: 1 }) };
    expect((await cboTrain(bowl, data, { epochs: 1, dt: 2 })).warnings[0]).toMatch(/lambda dt is 2: .* take dt <= 1/);
    expect((await cboTrain(bowl, data, { epochs: 1 })).warnings).toEqual([]);
  });

  it("stops when it is told, and when its signal fires: with the last whole epoch", async () => {
    const onProgress = ({ epoch }: EpochRecord) => (epoch === 2 ? "stop" : undefined);
    const stopped = await cboTrain(bowl, noData, { ...small, epochs: 9, onProgress });
    expect([stopped.status, stopped.epochs]).toEqual(["stopped", 2]);
    const aborted = await cboTrain(bowl, noData, { ...small, signal: AbortSignal.abort() });
    expect([aborted.status, aborted.epochs]).toEqual(["aborted", 0]);
  });

  it("a loss that is nowhere finite is an error that carries the last state", async () => {
    const broken: SwarmModel = { parameters: 3, loss: (theta) => sum(theta, { axis: 1 }).mul(Number.NaN) };
    const error = await cboTrain(broken, noData, small).catch((e) => e);
    expect(error).toBeInstanceOf(NonFiniteError);
    expect(error.message).toMatch(/iteration 1: the loss is finite for none of 5 particles/);
    expect(error.state.inner.epoch).toBe(0);
  });
});

describe("a model with a tree of parameters", () => {
  it("is a vector and back, in the order of the leaves", () => {
    const params = {
      w: tensor([
        [1, 2, 3],
        [4, 5, 6],
        [7, 8, 9],
        [10, 11, 12],
      ]),
      b: tensor([-1, -2, -3]),
    };
    const theta = classifier.toVector(params);
    expect(theta.shape).toEqual([15]);
    expect(values(classifier.toTree(theta).w)).toEqual(values(params.w));
    expect(() => classifier.toTree(zeros([4]))).toThrow(/the model has 15 parameters/);
  });

  it("has the losses of its particles one by one", () => {
    const thetas = random.rng(0).normal([3, 15]);
    const together = values(classifier.loss(thetas, data));
    together.forEach((loss, i) => {
      const params = classifier.toTree(thetas.slice([i]));
      expect(loss).toBeCloseTo(crossEntropy(scores(params, data.inputs), data.targets).item(), 5);
    });
  });

  it("fits a line", async () => {
    const inputs = random.rng(1).normal([32, 1]);
    const line = treeModel({ a: zeros([1, 1]), b: zeros([1]) }, (p, batch: { inputs: Tensor; targets: Tensor }) =>
      mean(square(sub(add(matmul(batch.inputs, p.a), p.b), batch.targets))),
    );
    const targets = inputs.mul(2).add(-1);
    const { theta, objective } = await cboTrain(line, { inputs, targets }, { epochs: 15, sigma: 1.2, backend });
    expect(objective).toBeLessThan(0.05 * mean(square(targets)).item());
    const { a, b } = line.toTree(theta);
    expect(Math.abs(a.item() - 2)).toBeLessThan(0.3);
    expect(Math.abs(b.item() + 1)).toBeLessThan(0.3);
  });
});
