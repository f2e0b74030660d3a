import {
  type FloatType,
  initializers,
  type Layer,
  type LinearParams,
  linear,
  type Stage,
  sequential,
} from "@offprint/nn";
import {
  add,
  asTensor,
  checkOptions,
  mul,
  type Rng,
  requireChoice,
  requireFunction,
  requireInteger,
  requireObject,
  reshape,
  ShapeError,
  slice,
  type Tensor,
  type TensorLike,
  ValueError,
} from "@offprint/tensor-core";
import { type BspOutput, bspDecode, type DecodeOptions } from "./decoder.js";
import { convEncoder } from "./encoder.js";
import { type Dim, featureCount, type Primitive } from "./features.js";
import { fcDecode, fcLoss } from "./generic-decoder.js";
import { type BspLoss, bspLoss } from "./losses.js";
import type { Phase } from "./phase.js";
import { klDivergence, type Posterior, reparameterize } from "./variational.js";

/** Layers 2 and 3: the tree of the paper, or linear layers (`fc`: widths 2c and c, `fcDeeper`: three of width c). */
export type DecoderKind = "bsp" | "fc" | "fcDeeper";

/** Options of `bspAutoEncoder`. */
export interface AutoEncoderOptions {
  /** Dimensions of shapes. */
  dim: Dim;
  /** Cells per axis of the input, a power of two >= 8. Default 64. */
  resolution?: number;
  /** Channels of the input. Default 1. */
  channels?: number;
  /** p, number of primitives. Default 4096 in 3D and 256 in 2D. */
  planes?: number;
  /** c, number of convexes. Default 256 in 3D and 64 in 2D. */
  convexes?: number;
  /** Channels of the first layer of the encoder; codes have `8 ef` values. Default 32. */
  ef?: number;
  /** Widths of the network from codes to primitives. Default `[16 ef, 32 ef, 64 ef]`. */
  hidden?: readonly number[];
  /** Layers 2 and 3. Default `bsp`. */
  decoder?: DecoderKind;
  /** What primitives are. Default `plane`. */
  primitive?: Primitive;
  /** Whether codes are drawn from a normal distribution that the encoder gives (a VAE). Default false. */
  variational?: boolean;
  /** Weight of the KL divergence per shape, >= 0; of variational models. Default 1e-3. */
  beta?: number;
  /**
   * An encoder of your own, from inputs to `[batch, 8 ef]` (VAE: `[batch, 16 ef]`). Default `convEncoder`.
   */
  encoder?: Layer;
}

/** Parameters of an auto-encoder. */
export interface AutoEncoderParams {
  /** Of the encoder. */
  readonly encoder: unknown;
  /** Of the network from codes to primitives: linear layers, null for the activations between. */
  readonly primitives: readonly (LinearParams | null)[];
  /** `[p, c]` connections and `[c, 1]` weights of the tree; null for generic decoders. */
  readonly tree: { readonly T: Tensor; readonly W: Tensor } | null;
  /** Layers of a generic decoder; null for the tree. */
  readonly layers: readonly LinearParams[] | null;
}

/** A batch of shapes. */
export interface ShapeBatch {
  /** `[batch, channels, ...cells]`, what the encoder sees. */
  readonly inputs: Tensor;
  /** `[batch, n, d]` */
  readonly points: Tensor;
  /** `[batch, n, 1]`: 1 inside and 0 outside. */
  readonly values: Tensor;
}

/** An auto-encoder of shapes: pure functions of its parameters. */
export interface BspAutoEncoder {
  /** The options with their defaults, without an encoder of your own; `beta` where the model is variational. */
  readonly options: Readonly<Required<Omit<AutoEncoderOptions, "beta" | "encoder">>> & Pick<AutoEncoderOptions, "beta">;
  /** Length of codes. */
  readonly codeSize: number;
  /** Draws initial parameters. Default dtype float32. */
  init(rng: Rng, dtype?: FloatType): AutoEncoderParams;
  /** Codes `[batch, 8 ef]` of inputs `[batch, channels, ...cells]`; of a VAE the means. */
  encode(params: AutoEncoderParams, inputs: TensorLike): Tensor;
  /**
   * Means and log variances of a VAE, `[batch, 8 ef]` each.
   * @throws ValueError unless the model is variational.
   */
  posterior(params: AutoEncoderParams, inputs: TensorLike): Posterior;
  /** Q, `[batch, coefficients, p]`, of codes `[batch, 8 ef]`. */
  primitives(params: AutoEncoderParams, codes: TensorLike): Tensor;
  /**
   * Where points are, given codes. Generic decoders ignore the phase; their occupancy is 1 inside, as in phase 0, and
   * they have no convexes (`[batch, n, 0]` is not a tensor: `convexes` is the occupancy).
   */
  decode(
    params: AutoEncoderParams,
    codes: TensorLike,
    points: TensorLike,
    phase: Phase,
    options?: DecodeOptions,
  ): BspOutput;
  /** The loss of a batch in a phase. `noise`, `[batch, 8 ef]` standard normal, is what a VAE draws codes with. */
  loss(params: AutoEncoderParams, batch: ShapeBatch, phase: Phase, noise?: Tensor | null): BspLoss;
}

type Settled = BspAutoEncoder["options"];

const names = [
  ...["dim", "resolution", "channels", "planes", "convexes", "ef", "hidden", "decoder", "primitive"],
  ...["variational", "beta", "encoder"],
];

function settle(options: AutoEncoderOptions): Settled {
  checkOptions("bspAutoEncoder", options, names);
  const { dim, resolution = 64, channels = 1, ef = 32, decoder = "bsp", primitive = "plane" } = options;
  const { planes = dim === 3 ? 4096 : 256, convexes = dim === 3 ? 256 : 64, variational = false } = options;
  const { hidden = [16 * ef, 32 * ef, 64 * ef] } = options;
  if (dim !== 2 && dim !== 3) throw new ValueError(`bspAutoEncoder: dim is ${dim}; it must be 2 or 3`);
  for (const [name, value] of Object.entries({ channels, planes, convexes, ef })) {
    requireInteger("bspAutoEncoder", name, value, 1);
  }
  for (const width of hidden) requireInteger("bspAutoEncoder", "a width of hidden", width, 1);
  if (!["bsp", "fc", "fcDeeper"].includes(decoder)) {
    throw new ValueError(`bspAutoEncoder: decoder is ${decoder}; it must be bsp, fc or fcDeeper`);
  }
  if (primitive !== "plane" && primitive !== "quadric") {
    throw new ValueError(`bspAutoEncoder: primitive is ${String(primitive)}; it must be plane or quadric`);
  }
  requireChoice("bspAutoEncoder", "variational", variational, [true, false]);
  if (options.encoder !== undefined) {
    requireFunction("bspAutoEncoder", "encoder.init", options.encoder?.init);
    requireFunction("bspAutoEncoder", "encoder.apply", options.encoder?.apply);
  }
  const own = { dim, resolution, channels, planes, convexes, ef, hidden, decoder, primitive, variational };
  if (!variational) {
    if (options.beta === undefined) return own;
    throw new ValueError(
      `bspAutoEncoder: beta is ${options.beta}, and the model is not variational; leave it out, or set variational`,
    );
  }
  const { beta = 1e-3 } = options;
  if (!(beta >= 0 && beta < Infinity)) throw new ValueError(`bspAutoEncoder: beta is ${beta}; it must be >= 0`);
  return { ...own, beta };
}

const inits = { weightInit: initializers.glorotUniform, biasInit: initializers.zeros };

/** From codes to the coefficients of all primitives. */
function primitiveNetwork({ dim, planes, ef, hidden, primitive }: Settled): Layer<AutoEncoderParams["primitives"]> {
  const sizes = [8 * ef, ...hidden, featureCount(dim, primitive) * planes];
  const stages = sizes.slice(1).flatMap((outputs, i): Stage[] => {
    const layer = linear({ inputs: sizes[i], outputs, ...inits });
    return i < sizes.length - 2 ? [layer, "leakyRelu"] : [layer];
  });
  return sequential(...stages);
}

function genericLayers({ decoder, planes: p, convexes: c }: Settled): Layer<LinearParams>[] {
  const sizes = decoder === "fc" ? [p, 2 * c, c, 1] : [p, c, c, c, 1];
  return sizes.slice(1).map((outputs, i) => linear({ inputs: sizes[i], outputs, ...inits }));
}

/**
 * An auto-encoder whose decoder is a binary space partitioning tree, or a generic one of the variations.
 * @throws ValueError for an option out of range.
 * @see Chen, Tagliasacchi and Zhang, TPAMI 2021, arXiv 2106.14274, section 3
 * @example
 * const model = bspAutoEncoder({ dim: 2, resolution: 32, planes: 64, convexes: 24, ef: 16, hidden: [256, 256] });
 * const params = model.init(random.rng(0));
 */
export function bspAutoEncoder(options: AutoEncoderOptions): BspAutoEncoder {
  requireObject("bspAutoEncoder", "options", options, "{ dim }");
  const settled = settle(options);
  const { dim, resolution, channels, planes, convexes, ef, decoder, primitive, variational, beta = 0 } = settled;
  const codeSize = 8 * ef;
  const encoder =
    options.encoder ??
    convEncoder({
      dim,
      resolution,
      channels,
      ef,
      ...(variational && { outputs: 2 * codeSize, outputActivation: "identity" }),
    });
  const toPrimitives = primitiveNetwork(settled);
  const layers = decoder === "bsp" ? null : genericLayers(settled);
  const encoded = (params: AutoEncoderParams, inputs: TensorLike): Tensor => {
    const x = asTensor(inputs);
    const cells = new Array(dim).fill(resolution);
    if (options.encoder === undefined && x.shape.slice(1).join() !== [channels, ...cells].join()) {
      throw new ShapeError(
        `bspAutoEncoder: inputs have shape [${x.shape}]; give [batch, ${[channels, ...cells].join(", ")}]`,
      );
    }
    return encoder.apply(params.encoder, x);
  };
  const posterior = (params: AutoEncoderParams, inputs: TensorLike): Posterior => {
    if (!variational) throw new ValueError("posterior: the model is not variational; make it with variational: true");
    const y = encoded(params, inputs);
    const part = (start: number) => slice(y, [null, { start, stop: start + codeSize }]);
    return { mean: part(0), logVariance: part(codeSize) };
  };
  const model: BspAutoEncoder = {
    options: settled,
    codeSize,
    init: (rng, dtype = "float32") => ({
      encoder: encoder.init(rng.fork("encoder"), dtype),
      primitives: toPrimitives.init(rng.fork("primitives"), dtype),
      tree:
        layers === null
          ? {
              T: rng.fork("T").normal([planes, convexes], { std: 0.02, dtype }),
              W: rng.fork("W").normal([convexes, 1], { mean: 1e-5, std: 0.02, dtype }),
            }
          : null,
      layers: layers?.map((layer, i) => layer.init(rng.fork(`layer ${i}`), dtype)) ?? null,
    }),
    encode: (params, inputs) => (variational ? posterior(params, inputs).mean : encoded(params, inputs)),
    posterior,
    primitives(params, codes) {
      const z = asTensor(codes);
      const q = toPrimitives.apply(params.primitives, z);
      return reshape(q, [z.shape[0], featureCount(dim, primitive), planes]);
    },
    decode(params, codes, points, phase, how = {}) {
      const q = model.primitives(params, codes);
      if (params.tree !== null) return bspDecode(points, q, params.tree.T, params.tree.W, phase, { ...how, primitive });
      const occupancy = fcDecode(points, q, params.layers ?? [], { primitive });
      return { convexes: occupancy, occupancy };
    },
    loss(params, batch, phase, noise = null) {
      const drawn = variational ? posterior(params, batch.inputs) : null;
      if (drawn !== null && noise === null) {
        throw new ValueError("loss: a variational model draws codes; give noise [batch, codeSize]");
      }
      const codes = drawn === null ? encoded(params, batch.inputs) : reparameterize(drawn, noise as Tensor);
      const out = model.decode(params, codes, batch.points, phase);
      const without = lossOf(params, out, batch.values, phase);
      if (drawn === null) return without;
      return { ...without, total: add(without.total, mul(klDivergence(drawn), beta)) };
    },
  };
  return model;
}

function lossOf(params: AutoEncoderParams, out: BspOutput, values: Tensor, phase: Phase): BspLoss {
  if (params.tree !== null) return bspLoss(out, values, params.tree.T, params.tree.W, phase);
  const reconstruction = fcLoss(out.occupancy, values);
  return { reconstruction, total: reconstruction };
}
