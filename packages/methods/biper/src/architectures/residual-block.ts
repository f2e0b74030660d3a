import { binaryConv } from "../binary-convolution.js";
import { chain, residual } from "../compose.js";
import type { NetworkPart } from "../network-part.js";
import * as parts from "../parts.js";
import type { LayerChoice } from "./image-network.js";

/** What a residual block connects. */
export interface BlockShape {
  /** Channels of the input. */
  readonly inputs: number;
  /** Channels of the output. */
  readonly outputs: number;
  /** Steps of its first convolution. */
  readonly strides: number;
}

/** How blocks of one network are made. */
export interface BlockStyle {
  /** Of the binary layers. */
  readonly layer: LayerChoice;
  /** Initial scale of normalisations. Default 1. */
  readonly normScale?: number;
  /** Whether shapes change by a real 1 x 1 convolution rather than by pooling and channels of zeros. Default false. */
  readonly projected?: boolean;
}

function activation({ layer }: BlockStyle) {
  return layer.binaryActivations ? parts.hardtanh : parts.relu;
}

function shortcut(shape: BlockShape, style: BlockStyle): NetworkPart | undefined {
  const { inputs, outputs, strides } = shape;
  if (strides === 1 && inputs === outputs) return undefined;
  if (style.projected) {
    const norm = parts.batchNorm(outputs, { scale: style.normScale ?? 1 });
    return chain({ "0": parts.conv({ inputs, outputs, kernel: 1, strides }), "1": norm });
  }
  const widened = parts.padChannels((outputs - inputs) / 2);
  return strides === 1 ? widened : chain({ "0": parts.averagePool(strides), "1": widened });
}

function convNorm(shape: BlockShape, style: BlockStyle, name: "1" | "2") {
  const { inputs, outputs, strides } = shape;
  return {
    [`conv${name}`]: binaryConv({ inputs, outputs, kernel: 3, strides, padding: 1, ...style.layer }),
    [`bn${name}`]: parts.batchNorm(outputs, { scale: style.normScale ?? 1 }),
  };
}

/** A shortcut around every convolution: `h = act(BN(bconv(x)) + short(x)); y = act(BN(bconv(h)) + h)`. */
export function doublyResidualBlock(shape: BlockShape, style: BlockStyle): NetworkPart {
  const second = { inputs: shape.outputs, outputs: shape.outputs, strides: 1 };
  return chain({
    first: residual(chain(convNorm(shape, style, "1")), shortcut(shape, style)),
    act1: activation(style),
    second: residual(chain(convNorm(second, style, "2"))),
    act2: activation(style),
  });
}

/** One shortcut: `h = act(BN(bconv(x))); y = act(BN(bconv(h)) + short(x))`. */
export function residualBlock(shape: BlockShape, style: BlockStyle): NetworkPart {
  const second = { inputs: shape.outputs, outputs: shape.outputs, strides: 1 };
  const body = chain({ ...convNorm(shape, style, "1"), act1: activation(style), ...convNorm(second, style, "2") });
  return chain({ block: residual(body, shortcut(shape, style)), act2: activation(style) });
}

/** Layers of blocks: `layer1`, `layer2`, ..., each of which but the first halves rows and columns. */
export function layersOf(
  block: (shape: BlockShape, style: BlockStyle) => NetworkPart,
  widths: readonly number[],
  depths: readonly number[],
  style: BlockStyle,
): Record<string, NetworkPart> {
  return Object.fromEntries(
    widths.map((outputs, k) => {
      const blocks = Array.from({ length: depths[k] }, (_, i) => {
        const first = i === 0 && k > 0;
        return [String(i), block({ inputs: first ? widths[k - 1] : outputs, outputs, strides: first ? 2 : 1 }, style)];
      });
      return [`layer${k + 1}`, chain(Object.fromEntries(blocks))];
    }),
  );
}
