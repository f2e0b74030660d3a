import type { Graph, GraphLayer } from "@offprint/graph";
import { adam } from "@offprint/optim";
import { runOptionNames } from "@offprint/solvers";
import {
  type Backend,
  checkOptions,
  type Rng,
  random,
  requireChoice,
  requireFinite,
  requireFunction,
  requireInteger,
  requireNonNegative,
  requireObject,
  requirePositive,
  type Tensor,
  ValueError,
  valueAndGrad,
} from "@offprint/tensor-core";
import { localLayer, requireLayer } from "./convolution.js";
import { requireGraph } from "./node-task.js";
import {
  type EpochRecord,
  type Stage,
  type TrainingRun,
  type TrainingRunOptions,
  type TrainingStatus,
  trainStages,
} from "./staged-training.js";
import { unitRows } from "./unit-rows.js";

/** What `localStep` works on. */
export interface LocalStepInput<P = unknown> {
  /** The convolution; ReLU follows it. */
  readonly layer: GraphLayer<P>;
  /** Its parameters. */
  readonly params: P;
  /** `[nodes, inputs]` output of the layer below, or features; its rows are brought to unit length. */
  readonly input: Tensor;
  /** What messages pass along. */
  readonly graph: Graph;
  /** The objective of the layer: a scalar of its output. */
  readonly loss: (h: Tensor) => Tensor;
}

/** Loss, gradients (a tree like the parameters) and output of one layer, for those who drive the loop themselves. */
export function localStep<P extends object>(
  localStepInput: LocalStepInput<P>,
): {
  loss: number;
  grads: P;
  output: Tensor;
} {
  const fields = ["layer", "params", "input", "graph", "loss"];
  checkOptions("localStep", localStepInput, fields, fields);
  const { layer, params, input, graph, loss } = localStepInput;
  requireLayer("localStep: layer", layer as GraphLayer);
  requireFunction("localStep", "loss", loss);
  requireGraph("localStep", graph);
  requireFinite("localStep", "input", input);
  const local = localLayer(layer);
  const prepared = local.prepare(unitRows(input), graph);
  const objective = (p: P): [Tensor, Tensor] => {
    const h = local.apply(p, prepared, graph);
    return [loss(h), h];
  };
  const [[value, output], grads] = valueAndGrad(objective, { hasAux: true })(params);
  return { loss: value.item(), grads, output };
}

/** Options of `fitLayerwise`. */
export interface LayerwiseOptions extends TrainingRunOptions {
  /** Epochs of each layer. Default 100. */
  epochs?: number;
  /** Adam's learning rate. Default 1e-3. */
  learningRate?: number;
  /** L2 penalty. Default 5e-4. */
  weightDecay?: number;
  /** Source of initial parameters. Default 0. */
  seed?: number | string;
  /** Element type of parameters. Default float32. */
  dtype?: "float32" | "float64";
  /** A figure to choose the parameters of a layer by, the larger the better. */
  validate?: (h: Tensor, layer: number) => number;
  /** Epochs between validations. Default 2. */
  validateEvery?: number;
  /** Validations without a better one after which a layer stops. Default 100. */
  patience?: number;
  /** Compiles each step. */
  backend?: Backend;
}

const layerwiseOptionNames = [
  "epochs",
  "learningRate",
  "weightDecay",
  "seed",
  "dtype",
  "validate",
  "validateEvery",
  "patience",
  "backend",
  ...runOptionNames,
] as const satisfies readonly (keyof LayerwiseOptions)[];

/** What `fitLayerwise` gives. */
export interface LayerwiseFit {
  /** Parameters of each finished layer. */
  readonly params: readonly unknown[];
  /** `[nodes, outputs]` of each finished layer. */
  readonly outputs: readonly Tensor[];
  /** All epochs of all layers. */
  readonly history: readonly EpochRecord[];
  /** Number of them. */
  readonly steps: number;
  /** `converged` where validations ended every layer. */
  readonly status: TrainingStatus;
  /** To go on from with `resume`. */
  readonly state: TrainingRun;
}

/**
 * Trains convolutions with ReLU one after the other, each by an objective of its own: no gradient crosses a layer.
 * @param localLoss a scalar of the output of layer `l` (from 0)
 * @example fitLayerwise([gcn({ inputs: 8, outputs: 16 })], (h) => mean(square(sub(take(h, u), take(h, v)))), x, graph)
 */
export async function fitLayerwise(
  layers: readonly GraphLayer[],
  localLoss: (h: Tensor, l: number) => Tensor,
  x: Tensor,
  graph: Graph,
  options: LayerwiseOptions = {},
): Promise<LayerwiseFit> {
  requireObject("fitLayerwise", "layers", layers, "an array");
  requireFunction("fitLayerwise", "localLoss", localLoss);
  requireObject("fitLayerwise", "x", x, "a tensor");
  requireObject("fitLayerwise", "graph", graph, "a Graph");
  const { epochs = 100, learningRate = 1e-3, weightDecay = 5e-4, seed = 0, dtype = "float32", validate } = options;
  const { validateEvery = 2, patience = 100 } = options;
  requireGraph("fitLayerwise", graph);
  requireInteger("fitLayerwise", "the number of layers", layers.length, 1);
  for (const [l, layer] of layers.entries()) requireLayer(`fitLayerwise: layers[${l}]`, layer);
  if (validate !== undefined) requireFunction("fitLayerwise", "validate", validate);
  requireFinite("fitLayerwise", "x", x);
  checkOptions("fitLayerwise", options, layerwiseOptionNames);
  requirePositive("fitLayerwise", "learningRate", learningRate);
  requireNonNegative("fitLayerwise", "weightDecay", weightDecay);
  requireChoice("fitLayerwise", "dtype", dtype, ["float32", "float64"]);
  for (const [name, value] of Object.entries({ epochs, validateEvery, patience })) {
    requireInteger("fitLayerwise", name, value, 1);
  }
  const rng: Rng = random.rng(seed);
  const outputs: Tensor[] = [];
  const advance = (finished: readonly unknown[]) => {
    while (outputs.length < finished.length) {
      const local = localLayer(layers[outputs.length]);
      const input = local.prepare(unitRows(outputs[outputs.length - 1] ?? x), graph);
      outputs.push(local.apply(finished[outputs.length], input, graph));
    }
  };
  const { state, ...run } = await trainStages(
    "fitLayerwise",
    {
      stages: layers.length,
      begin(finished): Stage<unknown, null, { prepared: unknown }> {
        advance(finished);
        const l = finished.length;
        const local = localLayer(layers[l]);
        const prepared = local.prepare(unitRows(outputs[l - 1] ?? x), graph);
        return {
          key: `layer ${l}`,
          layer: l + 1,
          params: layers[l].init(rng.fork(`layer/${l}`), dtype),
          carried: null,
          constants: { prepared },
          loss: (p, carried, constants) => [localLoss(local.apply(p, constants.prepared, graph), l), carried],
          optimizer: adam({ learningRate, weightDecay }),
          ...(validate && { validate: async (p: unknown) => figure(validate(local.apply(p, prepared, graph), l)) }),
        };
      },
    },
    { ...options, epochs, validateEvery, patience, compiler: options.backend && { backend: options.backend } },
  );
  const params = state.inner.finished;
  advance(params);
  const { history, status, steps } = run;
  return { params, outputs, history, status, steps, state };
}

/** @throws ValueError for a figure by which nothing can be chosen */
function figure(validation: unknown): number {
  if (typeof validation === "number" && !Number.isNaN(validation)) return validation;
  throw new ValueError(`fitLayerwise: validate gave ${String(validation)}; give a number, the larger the better`);
}
