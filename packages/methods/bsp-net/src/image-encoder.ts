import { type ConvParams, conv2d, initializers, type Layer, linear, sequential } from "@offprint/nn";
import { add, checkOptions, type Rng, requireInteger, special, type Tensor, ValueError } from "@offprint/tensor-core";

/** Options of `imageEncoder`. */
export interface ImageEncoderOptions {
  /** Length of codes. */
  codeSize: number;
  /** Channels of the images. Default 1, grey. */
  channels?: number;
  /** Pixels along a side, a power of two >= 64. Default 128. */
  resolution?: number;
  /** Channels of the first layer; blocks have 1, 2, 4 and 8 times as many. Default 64. */
  width?: number;
  /** Width of the linear layers. Default `16 width`. */
  hidden?: number;
  /** After the last layer: `sigmoid` for codes of 3D models, `identity` for those of a VAE. Default `sigmoid`. */
  outputActivation?: "sigmoid" | "leakyRelu" | "identity";
}

const inits = { weightInit: initializers.glorotUniform, biasInit: initializers.zeros };

interface ResidualParams {
  readonly first: ConvParams;
  readonly second: ConvParams;
  /** null where extents stay. */
  readonly shortcut: ConvParams | null;
}

/** Two 3 x 3 convolutions beside a shortcut, which is a 1 x 1 convolution where extents change. */
function residualBlock(inputs: number, outputs: number, strides: number): Layer {
  const first = conv2d({ inputs, outputs, kernel: 3, strides, padding: 1, bias: false, ...inits });
  const second = conv2d({ inputs: outputs, outputs, kernel: 3, padding: 1, bias: false, ...inits });
  const changes = strides !== 1 || inputs !== outputs;
  const shortcut = conv2d({ inputs, outputs, kernel: 1, strides, bias: false, ...inits });
  const layer: Layer<ResidualParams> = {
    init: (rng: Rng, dtype = "float32") => ({
      first: first.init(rng, dtype),
      second: second.init(rng, dtype),
      shortcut: changes ? shortcut.init(rng, dtype) : null,
    }),
    apply(params, x) {
      const y = second.apply(params.second, special.leakyRelu(first.apply(params.first, x)));
      return special.leakyRelu(add(y, params.shortcut === null ? x : shortcut.apply(params.shortcut, x)));
    },
  };
  return layer;
}

/**
 * The image encoder of single-view reconstruction: a residual network without normalisation, from grey images
 * `[batch, channels, side, side]` to codes `[batch, codeSize]`.
 * @throws ValueError for an option out of range.
 * @see section 3.4 of the paper
 */
export function imageEncoder(options: ImageEncoderOptions): Layer<readonly unknown[]> {
  checkOptions(
    "imageEncoder",
    options,
    ["codeSize", "channels", "resolution", "width", "hidden", "outputActivation"],
    ["codeSize"],
  );
  const { codeSize, channels = 1, resolution = 128, width = 64 } = options;
  const { hidden = 16 * width, outputActivation = "sigmoid" } = options;
  for (const [name, value] of Object.entries({ codeSize, channels, width, hidden })) {
    requireInteger("imageEncoder", name, value, 1);
  }
  if (!Number.isInteger(Math.log2(resolution)) || resolution < 64) {
    throw new ValueError(`imageEncoder: resolution is ${resolution}; it must be a power of two >= 64`);
  }
  const blocks = [1, 2, 4, 8].flatMap((factor, i) => {
    const outputs = width * factor;
    return [residualBlock(i === 0 ? width : outputs / 2, outputs, i === 0 ? 1 : 2), residualBlock(outputs, outputs, 1)];
  });
  // After the first convolution, three halvings and the last strided one, 1/32 of the side is left.
  const left = resolution / 32;
  const dense = (inputs: number, outputs: number) => linear({ inputs, outputs, ...inits });
  return sequential(
    conv2d({ inputs: channels, outputs: width, kernel: 7, strides: 2, padding: 3, bias: false, ...inits }),
    "leakyRelu",
    ...blocks,
    conv2d({ inputs: 8 * width, outputs: hidden, kernel: 4, strides: 2, padding: 1, ...inits }),
    "leakyRelu",
    conv2d({ inputs: hidden, outputs: hidden, kernel: left, ...inits }),
    "leakyRelu",
    (x: Tensor) => x.reshape([x.shape[0], hidden]),
    dense(hidden, hidden),
    "leakyRelu",
    dense(hidden, hidden),
    "leakyRelu",
    dense(hidden, hidden),
    "leakyRelu",
    dense(hidden, codeSize),
    outputActivation,
  );
}
