import {
  add,
  asTensor,
  checkOptions,
  matmul,
  moveAxis,
  mul,
  type Rng,
  requireInteger,
  ShapeError,
  scan,
  sigmoid,
  split,
  sub,
  type Tensor,
  type TensorLike,
  tanh,
  zeros,
} from "@offprint/tensor-core";
import { type Initializer, initializers } from "./initializers.js";
import { type FloatType, requireExtent } from "./layer.js";

/** Options of `gru` and `lstm`. */
export interface RecurrentOptions {
  /** Extent of the last axis of the input. */
  inputs: number;
  /** Extent of the hidden state. */
  features: number;
  /** Of weights and biases. Default `initializers.uniformFanIn` with the hidden features as inputs, as in PyTorch. */
  weightInit?: Initializer;
}

/** Parameters of a recurrent layer; `gates` is 3 for a GRU (reset, update, candidate), 4 for an LSTM. */
export interface RecurrentParams {
  /** `[inputs, gates * features]`. */
  readonly inputWeight: Tensor;
  /** `[features, gates * features]`. */
  readonly hiddenWeight: Tensor;
  /** `[gates * features]`. */
  readonly inputBias: Tensor;
  /** `[gates * features]`. */
  readonly hiddenBias: Tensor;
}

/** How to run over time. */
export interface SequenceOptions<S> {
  /** State before the first step. Default zeros. */
  initial?: S;
  /** Run from the last step to the first; outputs keep the order of the inputs. Default false. */
  reverse?: boolean;
}

/** A recurrent layer with state `S`: one step, and a run over time. */
export interface Recurrent<S> {
  /** Draws initial parameters. Default dtype float32. */
  init(rng: Rng, dtype?: FloatType): RecurrentParams;
  /** The state before the first step, zeros. */
  initState(batch: number, dtype?: FloatType): S;
  /** One step: `input` is `[batch, inputs]`, the tensors of the state are `[batch, features]`. */
  step(params: RecurrentParams, state: S, input: TensorLike): S;
  /** All steps of `[batch, time, inputs]`: the outputs `[batch, time, features]` and the last state. */
  apply(params: RecurrentParams, inputs: TensorLike, options?: SequenceOptions<S>): [outputs: Tensor, state: S];
}

function recurrent<S>(
  owner: string,
  gates: number,
  options: RecurrentOptions,
  stateOf: (h: Tensor) => S,
  outputOf: (state: S) => Tensor,
  advance: (state: S, fromInput: Tensor, params: RecurrentParams) => S,
): Recurrent<S> {
  const { inputs, features, weightInit = initializers.uniformFanIn } = options;
  requireInteger(owner, "inputs", inputs, 1);
  requireInteger(owner, "features", features, 1);
  const width = gates * features;
  const fans = { inputs: features, outputs: width };
  const initState = (batch: number, dtype: FloatType = "float32") => stateOf(zeros([batch, features], dtype));
  const project = (params: RecurrentParams, x: Tensor) => add(matmul(x, params.inputWeight), params.inputBias);
  return {
    init: (rng, dtype = "float32") => ({
      inputWeight: weightInit(rng, [inputs, width], fans, dtype),
      hiddenWeight: weightInit(rng, [features, width], fans, dtype),
      inputBias: weightInit(rng, [width], fans, dtype),
      hiddenBias: weightInit(rng, [width], fans, dtype),
    }),
    initState,
    step(params, state, input) {
      const x = asTensor(input);
      requireExtent(owner, x, -1, inputs, "features");
      return advance(state, project(params, x), params);
    },
    apply(params, sequence, how = {}) {
      checkOptions(owner, how, ["initial", "reverse"]);
      const { initial, reverse = false } = how;
      const x = asTensor(sequence);
      if (x.rank !== 3) {
        throw new ShapeError(`${owner}: the input has shape [${x.shape}]; it must be [batch, time, inputs]`);
      }
      requireExtent(owner, x, -1, inputs, "features");
      const start = initial ?? initState(x.shape[0], params.inputWeight.dtype as FloatType);
      // The inputs of all steps meet their weight in one product; only the hidden state must go step by step.
      const projected = moveAxis(project(params, x), 1, 0);
      const body = (state: S, now: Tensor): [S, Tensor] => {
        const next = advance(state, now, params);
        return [next, outputOf(next)];
      };
      const [last, outputs] = scan(body, start, projected, { reverse });
      return [moveAxis(outputs, 0, 1), last];
    },
  };
}

const recurrentNames = ["inputs", "features", "weightInit"];

/**
 * Gated recurrent unit; its state is the hidden tensor `[batch, features]`.
 * @see Cho et al., EMNLP 2014; with the reset gate after the product, as in PyTorch and cuDNN.
 */
export function gru(options: RecurrentOptions): Recurrent<Tensor> {
  checkOptions("gru", options, recurrentNames, ["inputs", "features"]);
  return recurrent(
    "gru",
    3,
    options,
    (h) => h,
    (h) => h,
    (h, fromInput, params) => {
      const fromHidden = add(matmul(h, params.hiddenWeight), params.hiddenBias);
      const [resetX, updateX, candidateX] = split(fromInput, 3, -1);
      const [resetH, updateH, candidateH] = split(fromHidden, 3, -1);
      const reset = sigmoid(add(resetX, resetH));
      const update = sigmoid(add(updateX, updateH));
      const candidate = tanh(add(candidateX, mul(reset, candidateH)));
      return add(candidate, mul(update, sub(h, candidate)));
    },
  );
}

/** State of an LSTM, both `[batch, features]`. */
export interface LstmState {
  /** What the layer gives out. */
  readonly hidden: Tensor;
  /** What it remembers. */
  readonly cell: Tensor;
}

/**
 * Long short-term memory, gates in the order input, forget, candidate, output.
 * @see Hochreiter and Schmidhuber, Neural Computation 9(8), 1997; with forget gates.
 */
export function lstm(options: RecurrentOptions): Recurrent<LstmState> {
  checkOptions("lstm", options, recurrentNames, ["inputs", "features"]);
  return recurrent<LstmState>(
    "lstm",
    4,
    options,
    (h) => ({ hidden: h, cell: h }),
    ({ hidden }) => hidden,
    ({ hidden, cell }, fromInput, params) => {
      const all = add(fromInput, add(matmul(hidden, params.hiddenWeight), params.hiddenBias));
      const [input, forget, candidate, output] = split(all, 4, -1);
      const next = add(mul(sigmoid(forget), cell), mul(sigmoid(input), tanh(candidate)));
      return { hidden: mul(sigmoid(output), tanh(next)), cell: next };
    },
  );
}
