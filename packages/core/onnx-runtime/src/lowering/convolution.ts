import type { Equation, PrimitiveParams } from "@offprint/tensor-core";
import type { Value } from "../model/graph-builder.js";
import type { LoweringContext } from "./context.js";
import { quickInputGradient, quickKernelGradient } from "./convolution-gradients.js";
import { convolutionsByProducts, maxPoolByWindows } from "./convolution-windows.js";
import { toType } from "./elementwise.js";
import { byDevice, isForGpu, type Lowering, lowerings } from "./lowering.js";
import { pad, slice } from "./movement.js";

type Pairs = readonly (readonly [number, number])[];

type Name = keyof typeof convolutionsByProducts;

/** ONNX Runtime has convolutions in float32 only. */
function inFloat32<P extends PrimitiveParams<"conv">>(
  name: Name,
  byProducts: Lowering<P>,
  lowering: Lowering<P>,
): Lowering<P> {
  return (c, equation) => {
    const lacking = equation.inputs[0].dtype === "float64" || (isForGpu(c) && gpuLacks(name, equation));
    (lacking ? byProducts : lowering)(c, equation);
  };
}

/** GPUs have none over three axes that are transposed or in groups, and transposed ones from many channels to one are wrong. */
function gpuLacks(name: Name, { inputs: [x, w], params: { groups } }: Equation<PrimitiveParams<"conv">>): boolean {
  const threeAxes = x.shape.length > 4;
  if (name !== "convInputGrad") return threeAxes && groups > 1;
  return threeAxes || (groups > 1 && w.shape[1] === 1 && w.shape[0] > groups);
}

/** Whether the device's operators take a padding: none take a negative one, and those of GPUs lose what is on one side only. */
function takesPadding(c: LoweringContext, padding: Pairs): boolean {
  return padding.every(([a, b]) => a >= 0 && b >= 0 && (a === b || !isForGpu(c)));
}

/** ONNX wants all leading paddings, then all trailing ones. */
function onnxPads(padding: Pairs): number[] {
  return [...padding.map((p) => p[0]), ...padding.map((p) => p[1])];
}

/** Negative paddings cut the input, which ONNX's attributes cannot say. */
function explicit(c: LoweringContext, x: Value, padding: Pairs): { x: Value; padding: Pairs } {
  if (takesPadding(c, padding)) return { x, padding };
  if (padding.every(([a, b]) => a >= 0 && b >= 0)) return oneSided(c, x, padding);
  const zero = c.scalar(x.type, 0);
  const low = [0, 0, ...padding.map((p) => p[0])];
  const high = [0, 0, ...padding.map((p) => p[1])];
  return { x: pad(c, x, low, high, zero), padding: padding.map(() => [0, 0] as const) };
}

/** Joins zeros to the side that has more padding. A Pad would be taken back into the convolution. */
function oneSided(c: LoweringContext, x: Value, padding: Pairs): { x: Value; padding: Pairs } {
  let out = x;
  padding.forEach(([low, high], i) => {
    if (low === high) return;
    const shape = out.shape.map((n, axis) => (axis === i + 2 ? Math.abs(high - low) : n));
    const zeros = c.emit("Expand", [c.scalar(x.type, 0), c.graph.integers(shape)], { shape, type: x.type });
    const joined = out.shape.map((n, axis) => (axis === i + 2 ? n + Math.abs(high - low) : n));
    const parts = high > low ? [out, zeros] : [zeros, out];
    out = c.emit("Concat", parts, { shape: joined, type: x.type }, { axis: i + 2 });
  });
  return { x: out, padding: padding.map(([low, high]) => [Math.min(low, high), Math.min(low, high)] as const) };
}

function fitSpatial(c: LoweringContext, x: Value, spatial: readonly number[]): Value {
  const shape = [x.shape[0], x.shape[1], ...spatial];
  const counts = shape.map((n, axis) => Math.min(n, x.shape[axis]));
  const cut = counts.every((n, axis) => n === x.shape[axis])
    ? x
    : slice(
        c,
        x,
        counts.map(() => 0),
        counts,
        counts.map(() => 1),
      );
  return pad(
    c,
    cut,
    counts.map(() => 0),
    shape.map((n, axis) => n - counts[axis]),
    c.scalar(x.type, 0),
  );
}

export const convolutionLowerings = lowerings({
  conv: inFloat32("conv", convolutionsByProducts.conv, (c, { inputs: [x, w], outputs: [y], params }) => {
    const source = explicit(c, c.value(x), params.padding);
    const attributes = {
      strides: params.strides,
      pads: onnxPads(source.padding),
      dilations: params.dilation,
      group: params.groups,
    };
    c.define(y, c.emit("Conv", [source.x, c.value(w)], { shape: y.shape, type: y.dtype }, attributes));
  }),

  convInputGrad: inFloat32(
    "convInputGrad",
    convolutionsByProducts.convInputGrad,
    quickInputGradient((c, { inputs: [g, w], outputs: [y], params }) => {
      const spatial: readonly number[] = y.shape.slice(2);
      const kernel = w.shape.slice(2);
      const full = spatial.map(
        (_, i) => (g.shape[i + 2] - 1) * params.strides[i] + (kernel[i] - 1) * params.dilation[i] + 1,
      );
      const rest = spatial.map((n, i) => n - (full[i] - params.padding[i][0] - params.padding[i][1]));
      const plain =
        rest.every((r, i) => r >= 0 && r < Math.max(params.strides[i], params.dilation[i])) &&
        takesPadding(c, params.padding);
      const base = { strides: params.strides, dilations: params.dilation, group: params.groups };
      const operands = [c.value(g), c.value(w)];
      if (plain) {
        const attributes = { ...base, pads: onnxPads(params.padding), output_padding: rest };
        c.define(y, c.emit("ConvTranspose", operands, { shape: y.shape, type: y.dtype }, attributes));
        return;
      }
      const whole = c.emit(
        "ConvTranspose",
        operands,
        { shape: [...y.shape.slice(0, 2), ...full], type: y.dtype },
        { ...base, pads: onnxPads(spatial.map(() => [0, 0] as const)) },
      );
      const low = params.padding.map((p) => p[0]);
      const shifted = pad(
        c,
        whole,
        [0, 0, ...low.map((n) => Math.max(0, -n))],
        whole.shape.map(() => 0),
        c.scalar(y.dtype, 0),
      );
      const starts = [0, 0, ...low.map((n) => Math.max(0, n))];
      const counts = shifted.shape.map((n, axis) => Math.max(0, n - starts[axis]));
      c.define(
        y,
        fitSpatial(
          c,
          slice(
            c,
            shifted,
            starts,
            counts,
            counts.map(() => 1),
          ),
          spatial,
        ),
      );
    }),
  ),

  convKernelGrad: inFloat32(
    "convKernelGrad",
    convolutionsByProducts.convKernelGrad,
    quickKernelGradient((c, { inputs: [x, g], outputs: [y], params }) => {
      // The kernel's gradient is a convolution of the input by the output's gradient with batch and channels exchanged.
      const { groups } = params;
      const [n, channels] = x.shape;
      const perGroup = channels / groups;
      const source = explicit(c, c.value(x), params.padding);
      const inSpatial = source.x.shape.slice(2);
      const axes = inSpatial.map((_, i) => i + 3);
      const split = c.reshape(source.x, [n, groups, perGroup, ...inSpatial]);
      const turned = c.emit(
        "Transpose",
        [split],
        { shape: [perGroup, groups, n, ...inSpatial], type: x.dtype },
        { perm: [2, 1, 0, ...axes] },
      );
      const input = c.reshape(turned, [perGroup, groups * n, ...inSpatial]);
      const spatialAxes = inSpatial.map((_, i) => i + 2);
      const gradient = c.value(g);
      const kernel = c.emit(
        "Transpose",
        [gradient],
        { shape: [g.shape[1], n, ...g.shape.slice(2)], type: g.dtype },
        { perm: [1, 0, ...spatialAxes] },
      );
      const reach = inSpatial.map((extent, i) => {
        const padded = extent + source.padding[i][0] + source.padding[i][1];
        return Math.floor((padded - ((g.shape[i + 2] - 1) * params.strides[i] + 1)) / params.dilation[i]) + 1;
      });
      const attributes = {
        strides: params.dilation,
        dilations: params.strides,
        pads: onnxPads(source.padding),
        group: groups,
      };
      const raw = c.emit(
        "Conv",
        [input, kernel],
        { shape: [perGroup, g.shape[1], ...reach], type: y.dtype },
        attributes,
      );
      const fitted = fitSpatial(c, raw, y.shape.slice(2));
      c.define(y, c.emit("Transpose", [fitted], { shape: y.shape, type: y.dtype }, { perm: [1, 0, ...spatialAxes] }));
    }),
  ),

  maxPool: byDevice((c, { inputs: [x], outputs: [y, indices], params }) => {
    const attributes = {
      kernel_shape: params.kernel,
      strides: params.strides,
      pads: onnxPads(params.padding),
      dilations: params.dilation,
    };
    const plane = x.shape.slice(2).reduce((a, b) => a * b, 1);
    const [values, places] = c.graph.nodeWithOutputs(
      "MaxPool",
      [c.value(x)],
      [
        { shape: y.shape, type: y.dtype },
        { shape: y.shape, type: "int64" },
      ],
      attributes,
    );
    c.define(y, values);
    // ONNX counts through the whole tensor; the primitive through one plane.
    const inPlane = c.emit("Mod", [places, c.graph.integer(plane)], { shape: y.shape, type: "int64" });
    c.define(indices, toType(c, inPlane, "int32"));
  }, maxPoolByWindows),
});
