import {
  arange,
  cos,
  mul,
  reshape,
  split,
  sum,
  type Tensor,
  tensor,
  transpose,
  valueAndGrad,
} from "@offprint/tensor-core";
import { expectClose, readFixture } from "@offprint/testing";
import { describe, it } from "vitest";
import {
  batchNorm,
  conv1d,
  conv2d,
  conv3d,
  convTranspose2d,
  groupNorm,
  gru,
  layerNorm,
  linear,
  lstm,
  multiHeadAttention,
} from "../src/index.js";

interface Numbers {
  shape: number[];
  data: number[];
}

interface Case {
  inputs: Numbers[];
  params: Record<string, Numbers>;
  output: Numbers;
  inputGradients: Numbers[];
  gradients: Record<string, Numbers>;
}

const torch = readFixture<any>(import.meta.url, "torch.json");
const read = ({ shape, data }: Numbers) => tensor(data, { dtype: "float64", shape });

/** Compares output and all gradients with those of a case; `convert` takes PyTorch's parameters to this package's. */
function agrees(
  { inputs, params, output, inputGradients, gradients }: Case,
  convert: (p: Record<string, Tensor>) => any,
  apply: (params: any, ...inputs: Tensor[]) => Tensor,
) {
  const tensors = (record: Record<string, Numbers>) =>
    Object.fromEntries(Object.entries(record).map(([name, n]) => [name, read(n)]));
  let y: Tensor | undefined;
  const loss = (p: any, x: Tensor[]) => {
    y = apply(p, ...x);
    return sum(mul(y, reshape(cos(arange(y.size, undefined, 1, "float64")), y.shape)));
  };
  const [, [own, ofInputs]] = valueAndGrad(loss, { argument: [0, 1] })(convert(tensors(params)), inputs.map(read));
  expectClose(y, read(output));
  expectClose(own, convert(tensors(gradients)));
  expectClose(ofInputs, inputGradients.map(read));
}

const asLinear = (p: Record<string, Tensor>) => ({ weight: transpose(p.weight), bias: p.bias });
const asNorm = (p: Record<string, Tensor>) => ({ scale: p.weight, bias: p.bias });
const asRecurrent = (p: Record<string, Tensor>) => ({
  inputWeight: transpose(p.weight_ih_l0),
  hiddenWeight: transpose(p.weight_hh_l0),
  inputBias: p.bias_ih_l0,
  hiddenBias: p.bias_hh_l0,
});

function asAttention(p: Record<string, Tensor>) {
  const weights =
    p.in_proj_weight === undefined
      ? [p.q_proj_weight, p.k_proj_weight, p.v_proj_weight]
      : split(p.in_proj_weight, 3, 0);
  const [query, key, value] = split(p.in_proj_bias, 3, 0).map((bias, i) => ({ weight: transpose(weights[i]), bias }));
  return { query, key, value, output: { weight: transpose(p["out_proj.weight"]), bias: p["out_proj.bias"] } };
}

describe("outputs and gradients equal PyTorch's", () => {
  const plain = (p: Record<string, Tensor>) => ({ weight: p.weight, bias: p.bias });

  it("linear", () => agrees(torch.linear, asLinear, linear({ inputs: 3, outputs: 4 }).apply));
  it("conv1d", () =>
    agrees(torch.conv1d, plain, conv1d({ inputs: 2, outputs: 4, kernel: 3, strides: 2, padding: 1 }).apply));
  it("conv2d with groups", () => {
    const layer = conv2d({ inputs: 4, outputs: 4, kernel: [3, 2], strides: [2, 1], padding: [1, 0], groups: 2 });
    agrees(torch.conv2d, plain, layer.apply);
  });
  it("conv3d with dilation", () =>
    agrees(torch.conv3d, plain, conv3d({ inputs: 1, outputs: 2, kernel: 2, dilation: 2 }).apply));
  it("convTranspose2d", () => {
    const layer = convTranspose2d({ inputs: 3, outputs: 2, kernel: 3, strides: 2, padding: 1, outputPadding: 1 });
    agrees(torch.convTranspose2d, plain, layer.apply);
  });
  it("layerNorm", () => agrees(torch.layerNorm, asNorm, layerNorm({ features: 5 }).apply));
  it("groupNorm", () => agrees(torch.groupNorm, asNorm, groupNorm({ channels: 4, groups: 2 }).apply));
  it("batchNorm, with its running statistics", () => {
    const layer = batchNorm({ channels: 3 });
    const state = layer.initState("float64");
    agrees(torch.batchNorm, asNorm, (p, x) => layer.train(p, state, x)[0]);
    const params = asNorm({ weight: read(torch.batchNorm.params.weight), bias: read(torch.batchNorm.params.bias) });
    const [, next] = layer.train(params, state, read(torch.batchNorm.inputs[0]));
    expectClose(next.mean, read(torch.batchNorm.runningMean));
    expectClose(next.variance, read(torch.batchNorm.runningVariance));
  });
  it("self-attention", () => {
    const layer = multiHeadAttention({ features: 6, heads: 2 });
    agrees(torch.attention, asAttention, (p, query, key, value) => layer.apply(p, { query, key, value }));
  });
  it("causal self-attention", () => {
    const layer = multiHeadAttention({ features: 6, heads: 2 });
    const apply = (p: any, query: Tensor, key: Tensor, value: Tensor) =>
      layer.apply(p, { query, key, value, causal: true });
    agrees(torch.causalAttention, asAttention, apply);
  });
  it("cross-attention", () => {
    const layer = multiHeadAttention({ features: 6, heads: 3, keyFeatures: 5, valueFeatures: 4 });
    agrees(torch.crossAttention, asAttention, (p, query, key, value) => layer.apply(p, { query, key, value }));
  });
  it("gru", () => {
    const layer = gru({ inputs: 3, features: 4 });
    agrees(torch.gru, asRecurrent, (p, x) => layer.apply(p, x)[0]);
  });
  it("lstm", () => {
    const layer = lstm({ inputs: 3, features: 4 });
    agrees(torch.lstm, asRecurrent, (p, x) => layer.apply(p, x)[0]);
  });
});
