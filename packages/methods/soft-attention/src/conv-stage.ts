import { type BatchNormState, batchNorm, type ConvParams, conv2d, type FloatType, type NormParams } from "@offprint/nn";
import { type Rng, relu, type Tensor } from "@offprint/tensor-core";

/** Parameters of one convolution with its batch normalisation. */
export interface ConvNormParams {
  /** `[outputs, inputs, 3, 3]` with bias. */
  readonly conv: ConvParams;
  /** Of the batch normalisation. */
  readonly norm: NormParams;
}

/** Applies the convolutions in turn, and collects the new running statistics where they are asked for. */
export interface ConvStage {
  /** One entry per convolution. */
  init(rng: Rng, dtype?: FloatType): ConvNormParams[];
  /** One entry per convolution. */
  initState(dtype?: FloatType): BatchNormState[];
  /** With the statistics of this batch. */
  train(params: readonly ConvNormParams[], state: readonly BatchNormState[], x: Tensor): [Tensor, BatchNormState[]];
  /** With the running statistics. */
  apply(params: readonly ConvNormParams[], state: readonly BatchNormState[], x: Tensor): Tensor;
}

/**
 * 3 x 3 convolutions with padding 1 and bias, each followed by batch normalisation and ReLU.
 * @param channels from the input on, one more than `strides`
 */
export function convStage(channels: readonly number[], strides: readonly number[]): ConvStage {
  const convs = strides.map((stride, i) => {
    return conv2d({
      inputs: channels[i],
      outputs: channels[i + 1],
      kernel: 3,
      strides: stride,
      padding: [
        [1, 1],
        [1, 1],
      ],
    });
  });
  const norms = strides.map((_, i) => batchNorm({ channels: channels[i + 1] }));
  return {
    init: (rng, dtype = "float32") =>
      convs.map((conv, i) => ({ conv: conv.init(rng, dtype), norm: norms[i].init(dtype) })),
    initState: (dtype = "float32") => norms.map((norm) => norm.initState(dtype)),
    train(params, state, input) {
      const next: BatchNormState[] = [];
      const y = convs.reduce((x, conv, i) => {
        const [normed, after] = norms[i].train(params[i].norm, state[i], conv.apply(params[i].conv, x));
        next.push(after);
        return relu(normed);
      }, input);
      return [y, next];
    },
    apply: (params, state, input) =>
      convs.reduce(
        (x, conv, i) => relu(norms[i].apply(params[i].norm, state[i], conv.apply(params[i].conv, x))),
        input,
      ),
  };
}
