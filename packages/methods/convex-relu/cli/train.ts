import type { CommandInput } from "@offprint/claims";
import { standardization } from "@offprint/data";
import { saveFile } from "@offprint/data/node";
import { AbortedError, random, type Tensor, tensor, ValueError } from "@offprint/tensor-core";
import {
  type ConvexNetResult,
  type ConvexProgress,
  inOriginalUnits,
  type Loss,
  networkToOnnx,
  predict,
  type ReluModel,
  type RobustNetResult,
  saveModel,
  trainConvex,
  trainRobust,
} from "../src/index.js";
import { openTable, type TableFile, type TableRequest } from "./table-source.js";

/** `offprint convex-relu train DATA` */
export async function train(path: string, request: TableRequest, input: CommandInput): Promise<void> {
  const { options, print } = input;
  const file = await openTable(path, request);
  const task = taskOf(path, file, request, String(options.loss));
  const held = heldOut(file.rows, Number(options.holdout), Number(options.seed));
  const learning = split(file, task.y, held, false);
  const testing = split(file, task.y, held, true);
  const scale = standardization(learning.X);
  const center = task.classes ? 0 : mean(learning.y);
  const spread = task.classes ? 1 : Math.sqrt(mean(learning.y.map((v) => (v - center) ** 2))) || 1;
  print(`${path}: ${learning.y.length} samples, ${file.features.length} features, loss ${task.loss}`);
  const y = learning.y.map((value) => (value - center) / spread);
  const result = await optimum(scale.apply(learning.X), y, task.loss, input);
  if (result.status === "aborted") throw new AbortedError("convex-relu: interrupted before the training was over");
  const units = { mean: scale.mean, std: scale.std, targetMean: center, targetStd: spread };
  const model: ReluModel = {
    net: inOriginalUnits(result.net, units),
    loss: task.loss,
    features: file.features,
    target: request.target,
    ...(task.classes && { classes: task.classes }),
    ...(result.dualBound && {
      certificate: {
        objective: result.networkObjective,
        dualBound: result.dualBound,
        ...("certifiedLoss" in result && { certifiedLoss: result.certifiedLoss, eps: Number(options.eps) }),
      },
    }),
  };
  for (const line of summary(result)) print(line);
  print(`training data: ${quality(model, learning.X, learning.y)}`);
  if (testing.y.length > 0) print(`held out (${testing.y.length}): ${quality(model, testing.X, testing.y)}`);
  await writeFiles(model, result, input);
}

/** Which loss, and targets as numbers. */
function taskOf(path: string, { target }: TableFile, { target: name }: TableRequest, wanted: string) {
  if (target === undefined) throw new ValueError(`${path}: there is no column ${name}; name the target with --target`);
  const missing = target.findIndex((value) => value === null || Number.isNaN(value));
  if (missing >= 0) throw new ValueError(`${path}: row ${missing + 1} has no ${name}; fill or remove it`);
  if (!["auto", "squared", "bce", "hinge"].includes(wanted)) {
    throw new ValueError(`--loss is ${wanted}; it must be auto, squared, bce or hinge`);
  }
  const distinct = [...new Set(target)].sort((a, b) =>
    typeof a === "number" ? a - Number(b) : String(a) < String(b) ? -1 : 1,
  );
  const numeric = distinct.every((value) => typeof value === "number");
  const loss = (wanted === "auto" ? (distinct.length === 2 ? "bce" : "squared") : wanted) as Loss;
  if (loss === "squared") {
    if (!numeric)
      throw new ValueError(`${path}: ${name} holds texts of ${distinct.length} kinds; two kinds can be learnt`);
    return { loss, y: Float64Array.from(target as number[]) };
  }
  if (distinct.length !== 2) {
    throw new ValueError(`${path}: ${name} has ${distinct.length} different values; --loss ${loss} needs two classes`);
  }
  const classes = distinct.map(String) as [string, string];
  return { loss, classes, y: Float64Array.from(target, (value) => (value === distinct[1] ? 1 : -1)) };
}

async function optimum(
  X: Tensor,
  y: Float64Array,
  loss: Loss,
  input: CommandInput,
): Promise<ConvexNetResult | RobustNetResult> {
  const { options, signal } = input;
  const number = (name: string) => (options[name] === undefined ? undefined : Number(options[name]));
  const [patterns, maxIter, eps, samples] = [
    number("patterns"),
    number("iterations"),
    number("eps"),
    number("samples"),
  ];
  const most = maxIter ?? (eps === undefined ? 2000 : 4000);
  const common = {
    loss,
    beta: Number(options.beta),
    average: true,
    seed: Number(options.seed),
    tol: Number(options.tol),
    maxIter: most,
    signal,
    onProgress: ({ iteration, objective }: ConvexProgress) =>
      input.onProgress(iteration / most, `objective ${objective.toPrecision(6)}`),
    ...(patterns !== undefined && { patterns }),
  };
  if (eps !== undefined) return trainRobust(X, tensor(y), { ...common, eps });
  const method = options.method as "admm" | "admm-rbcd" | "scp";
  return trainConvex(X, tensor(y), { ...common, method, ...(samples !== undefined && { scp: { samples } }) });
}

function summary(result: ConvexNetResult | RobustNetResult): string[] {
  const { status, iterations, networkObjective, dualBound, gap, net, patterns } = result;
  const lines = [
    `${status} after ${iterations} iterations: ${net.a.size} neurons, objective ${networkObjective.toPrecision(7)}`,
  ];
  if ("certifiedLoss" in result) {
    lines.push(`worst-case loss within the boxes: at most ${result.certifiedLoss.toPrecision(5)} (certified)`);
    if (result.collapsed)
      lines.push("Warning: the zero network is the optimum; take a smaller --eps or more --patterns.");
  }
  if (dualBound !== undefined && gap !== undefined) {
    const who = dualBound.scope === "network" ? "no network" : `no network with these ${patterns.D.length} patterns`;
    lines.push(`certified: ${who} is below ${dualBound.value.toPrecision(7)}; relative gap ${gap.toExponential(2)}`);
  }
  return lines;
}

function quality({ net, classes }: ReluModel, X: Tensor, y: Float64Array): string {
  const f = predict(net, X).data();
  if (classes !== undefined) {
    const right = y.reduce((count, label, k) => count + (label * (f[k] >= 0 ? 1 : -1) > 0 ? 1 : 0), 0);
    return `${((100 * right) / y.length).toFixed(2)} % right`;
  }
  const center = mean(y);
  const left = y.reduce((sum, value, k) => sum + (value - f[k]) ** 2, 0);
  const total = y.reduce((sum, value) => sum + (value - center) ** 2, 0);
  return `root mean square error ${Math.sqrt(left / y.length).toPrecision(5)}, R2 ${(1 - left / (total || 1)).toFixed(4)}`;
}

async function writeFiles(
  model: ReluModel,
  result: ConvexNetResult | RobustNetResult,
  { options, print }: CommandInput,
) {
  const { save, onnx, json } = options as Record<string, string | undefined>;
  if (save) await saveFile(save, saveModel(model));
  if (onnx) await saveFile(onnx, networkToOnnx(model.net));
  if (json) {
    const { status, iterations, networkObjective, convexObjective, dualBound, gap, maxViolation, history } = result;
    const report = { status, iterations, networkObjective, convexObjective, dualBound, gap, maxViolation, history };
    await saveFile(json, `${JSON.stringify({ ...report, certificate: model.certificate }, null, 2)}\n`);
  }
  if (!save && !onnx) print("--save <file> keeps the model; --onnx <file> writes it for ONNX Runtime.");
}

function heldOut(rows: number, share: number, seed: number): Uint8Array {
  if (!(share >= 0 && share < 1)) throw new ValueError(`--holdout is ${share}; it must be in [0, 1)`);
  const out = new Uint8Array(rows);
  for (const k of random
    .rng(seed)
    .permutation(rows)
    .data()
    .slice(0, Math.floor(share * rows)))
    out[k] = 1;
  return out;
}

function split({ values, rows, features }: TableFile, y: Float64Array, held: Uint8Array, wanted: boolean) {
  const d = features.length;
  const kept = Array.from({ length: rows }, (_, k) => k).filter((k) => (held[k] === 1) === wanted);
  const X = new Float64Array(kept.length * d);
  for (const [to, k] of kept.entries()) X.set(values.subarray(k * d, (k + 1) * d), to * d);
  return { X: tensor(X, { shape: [kept.length, d] }), y: Float64Array.from(kept, (k) => y[k]) };
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
