import { type Activation, type FeedForward, foldLinear } from "@offprint/networks";
import {
  type NestedArray,
  ShapeError,
  type Tensor,
  type TensorLike,
  asTensor as toTensor,
  ValueError,
} from "@offprint/tensor-core";
import { fromTensor, type Matrix, matrix } from "./matrix.js";
import { type NeuronGroup, neuronGroups } from "./neuron-group.js";

/** A block `x + H phi(G x + b)`. */
export interface ResidualBlock {
  /** `[width, d]`. */
  readonly G: TensorLike;
  /** `[d, width]`. */
  readonly H: TensorLike;
  /** `[width]`; default 0. */
  readonly bias?: TensorLike;
}

/** Residual blocks between two optional linear maps. */
export interface ResidualNetwork {
  /** Tells the kinds apart. */
  readonly kind: "residual";
  /** At least one. */
  readonly blocks: readonly ResidualBlock[];
  /** `[d, in]`, before the blocks. */
  readonly input?: TensorLike;
  /** `[out, d]`, after the blocks. */
  readonly output?: TensorLike;
  /** One for all blocks, or one for each. */
  readonly activation: Activation | readonly Activation[];
}

/** The deep equilibrium model `z = phi(W z + U x + b)`, `y = C z`. */
export interface ImplicitNetwork {
  /** Tells the kinds apart. */
  readonly kind: "implicit";
  /** `[width, width]`. */
  readonly W: TensorLike;
  /** `[width, in]`. */
  readonly U: TensorLike;
  /** `[out, width]`. */
  readonly C: TensorLike;
  /** `[width]`; default 0. */
  readonly bias?: TensorLike;
  /** Of the hidden state. */
  readonly activation: Activation;
}

/** A network as the bounds of this package take it. */
export type Network = FeedForward | ResidualNetwork | ImplicitNetwork;

/** @internal Checked networks. */
export type CheckedNetwork = CheckedFeedForward | CheckedResidual | CheckedImplicit;

interface Checked {
  /** All neuron groups, in order of layers. */
  readonly groups: readonly NeuronGroup[];
  /** Width of each hidden layer. */
  readonly widths: readonly number[];
  /** Number of inputs. */
  readonly inputs: number;
  /** Number of outputs. */
  readonly outputs: number;
}

/** @internal */
export interface CheckedFeedForward extends Checked {
  readonly kind: "feedforward";
  readonly weights: readonly Matrix[];
  readonly biases: readonly Float64Array[];
}

/** @internal */
export interface CheckedResidual extends Checked {
  readonly kind: "residual";
  readonly blocks: readonly { readonly G: Matrix; readonly H: Matrix; readonly bias: Float64Array }[];
  readonly input: Matrix | undefined;
  readonly output: Matrix | undefined;
}

/** @internal */
export interface CheckedImplicit extends Checked {
  readonly kind: "implicit";
  readonly W: Matrix;
  readonly U: Matrix;
  readonly C: Matrix;
  readonly bias: Float64Array;
}

/**
 * @internal Reads and checks a network.
 *
 * @throws ShapeError for layers that do not fit each other; ValueError for weights that are not finite, an empty
 * network, or an activation that does not fit its layer
 */
export function checkNetwork(network: Network): CheckedNetwork {
  if (typeof network !== "object" || network === null) {
    throw new ValueError(
      `network: it is ${network}; give layers with an activation, or a network of kind residual or implicit`,
    );
  }
  if (!("kind" in network)) return checkFeedForward(network);
  if (network.kind === "residual") return checkResidual(network);
  if (network.kind === "implicit") return checkImplicit(network);
  throw new ValueError(
    `network: kind "${String((network as { kind: unknown }).kind)}" is not known; take residual or implicit, or layers without a kind`,
  );
}

function checkFeedForward(network: FeedForward): CheckedFeedForward {
  const { layers } = foldLinear(network);
  const linear = layers.filter((layer) => layer.kind === "linear");
  const activations = layers.filter((_, k) => k % 2 === 1) as Activation[];
  const weights = linear.map(({ weight }) => fromTensor(weight as Tensor));
  const widths = weights.slice(0, -1).map(({ rows }) => rows);
  return {
    kind: "feedforward",
    weights,
    biases: linear.map(({ bias }) => Float64Array.from((bias as Tensor).data())),
    groups: allGroups(activations, widths),
    widths,
    inputs: weights[0].columns,
    outputs: weights[weights.length - 1].rows,
  };
}

function checkResidual(network: ResidualNetwork): CheckedResidual {
  if (!Array.isArray(network.blocks) || network.blocks.length === 0) {
    throw new ValueError("network: blocks is empty; give at least one residual block");
  }
  const blocks = network.blocks.map(({ G, H, bias }, i) => {
    const block = { G: readMatrix(G, `G of block ${i + 1}`), H: readMatrix(H, `H of block ${i + 1}`) };
    return { ...block, bias: readBias(bias, block.G.rows, `bias of block ${i + 1}`) };
  });
  const d = blocks[0].G.columns;
  for (const [i, { G, H }] of blocks.entries()) {
    if (G.columns !== d || H.rows !== d || H.columns !== G.rows) {
      throw new ShapeError(
        `network: block ${i + 1} needs G [width, ${d}] and H [${d}, width], got ` +
          `[${G.rows}, ${G.columns}] and [${H.rows}, ${H.columns}]`,
      );
    }
  }
  const input = network.input === undefined ? undefined : readMatrix(network.input, "input");
  const output = network.output === undefined ? undefined : readMatrix(network.output, "output");
  if (input !== undefined && input.rows !== d)
    throw new ShapeError(`network: input must have ${d} rows, got ${input.rows}`);
  if (output !== undefined && output.columns !== d) {
    throw new ShapeError(`network: output must have ${d} columns, got ${output.columns}`);
  }
  const widths = blocks.map(({ G }) => G.rows);
  return {
    kind: "residual",
    blocks,
    input,
    output,
    groups: allGroups(network.activation, widths),
    widths,
    inputs: input?.columns ?? d,
    outputs: output?.rows ?? d,
  };
}

function checkImplicit(network: ImplicitNetwork): CheckedImplicit {
  const W = readMatrix(network.W, "W");
  const U = readMatrix(network.U, "U");
  const C = readMatrix(network.C, "C");
  if (W.rows !== W.columns) throw new ShapeError(`network: W must be square, got [${W.rows}, ${W.columns}]`);
  if (U.rows !== W.rows || C.columns !== W.rows) {
    throw new ShapeError(
      `network: with W [${W.rows}, ${W.rows}] U needs ${W.rows} rows and C ${W.rows} columns, got ` +
        `[${U.rows}, ${U.columns}] and [${C.rows}, ${C.columns}]`,
    );
  }
  return {
    kind: "implicit",
    W,
    U,
    C,
    bias: readBias(network.bias, W.rows, "bias"),
    groups: allGroups(network.activation, [W.rows]),
    widths: [W.rows],
    inputs: U.columns,
    outputs: C.rows,
  };
}

/** @internal */
export function allGroups(activation: Activation | readonly Activation[], widths: readonly number[]): NeuronGroup[] {
  const each = Array.isArray(activation)
    ? (activation as readonly Activation[])
    : widths.map(() => activation as Activation);
  if (each.length !== widths.length) {
    throw new ValueError(
      `network: ${each.length} activations for ${widths.length} hidden layers; give one for each, or one`,
    );
  }
  let start = 0;
  return widths.flatMap((width, layer) => {
    const groups = neuronGroups(each[layer], width, layer, start);
    start += width;
    return groups;
  });
}

/** @internal A weight as a float64 matrix. */
export function readMatrix(x: TensorLike, name: string): Matrix {
  const values = read(x, name);
  if (values.rank !== 2 || values.size === 0) {
    throw new ShapeError(`network: ${name} must be a matrix that is not empty, got shape [${values.shape}]`);
  }
  return matrix(values.shape[0], values.shape[1], finite(values, name));
}

function readBias(x: TensorLike | undefined, size: number, name: string): Float64Array {
  if (x === undefined) return new Float64Array(size);
  const values = read(x, name);
  if (values.rank !== 1 || values.size !== size) {
    throw new ShapeError(`network: ${name} must have shape [${size}], got [${values.shape}]`);
  }
  return finite(values, name);
}

function read(x: TensorLike, name: string): Tensor {
  if (x === undefined || x === null) throw new ValueError(`network: ${name} is missing`);
  // Plain numbers keep their float64 digits.
  return toTensor(x, Array.isArray(x) ? "float64" : undefined) as Tensor & { toArray(): NestedArray };
}

function finite(x: Tensor, name: string): Float64Array {
  const values = Float64Array.from(x.data());
  if (!values.every(Number.isFinite)) throw new ValueError(`network: ${name} holds a value that is not finite`);
  return values;
}
