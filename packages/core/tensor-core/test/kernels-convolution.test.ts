import { expect, it } from "vitest";
import {
  type ConvGeometry,
  convForward,
  convInputGrad,
  convKernelGrad,
  maxPool,
  setKernels,
} from "../src/kernels/index.js";
import { arrayTypes, distance, randomArray, tolerance, withBoth } from "./kernels-inputs.js";

type Options = Partial<Omit<ConvGeometry, "outSpatial">>;

function geometry(options: Options): ConvGeometry {
  const inSpatial = options.inSpatial ?? [6, 5];
  const full = {
    batch: 2,
    inChannels: 4,
    outChannels: 6,
    groups: 1,
    kernel: inSpatial.map(() => 3),
    strides: inSpatial.map(() => 1),
    dilation: inSpatial.map(() => 1),
    padding: inSpatial.map(() => [0, 0] as const),
    ...options,
    inSpatial,
  };
  const outSpatial = inSpatial.map((size, i) => {
    const span = full.dilation[i]! * (full.kernel[i]! - 1) + 1;
    return Math.floor((size + full.padding[i]![0] + full.padding[i]![1] - span) / full.strides[i]!) + 1;
  });
  return { ...full, outSpatial };
}

function count(values: readonly number[]): number {
  return values.reduce((p, v) => p * v, 1);
}

/** Multi-index of a flat place. */
function indexOf(flat: number, shape: readonly number[]): number[] {
  const index: number[] = [];
  for (let i = shape.length - 1; i >= 0; i--) {
    index.unshift(flat % shape[i]!);
    flat = Math.floor(flat / shape[i]!);
  }
  return index;
}

/** Calls back with the flat places of every product y += x w that makes up the convolution. */
function forTerms(g: ConvGeometry, body: (x: number, w: number, y: number) => void): void {
  const [inPlane, outPlane, taps] = [count(g.inSpatial), count(g.outSpatial), count(g.kernel)];
  const [inGroup, outGroup] = [g.inChannels / g.groups, g.outChannels / g.groups];
  for (let b = 0; b < g.batch; b++) {
    for (let o = 0; o < g.outChannels; o++) {
      for (let c = 0; c < inGroup; c++) {
        const channel = Math.floor(o / outGroup) * inGroup + c;
        for (let p = 0; p < outPlane; p++) {
          const out = indexOf(p, g.outSpatial);
          for (let t = 0; t < taps; t++) {
            const tap = indexOf(t, g.kernel);
            const place = out.map((v, i) => v * g.strides[i]! - g.padding[i]![0] + tap[i]! * g.dilation[i]!);
            if (place.some((v, i) => v < 0 || v >= g.inSpatial[i]!)) continue;
            const flat = place.reduce((sum, v, i) => sum * g.inSpatial[i]! + v, 0);
            body(
              (b * g.inChannels + channel) * inPlane + flat,
              (o * inGroup + c) * taps + t,
              (b * g.outChannels + o) * outPlane + p,
            );
          }
        }
      }
    }
  }
}

const cases: [string, Options][] = [
  ["plain", {}],
  [
    "padded on both sides",
    {
      padding: [
        [1, 1],
        [2, 0],
      ],
    },
  ],
  [
    "strided",
    {
      inSpatial: [9, 8],
      strides: [2, 3],
      padding: [
        [1, 0],
        [0, 2],
      ],
    },
  ],
  [
    "dilated",
    {
      inSpatial: [9, 8],
      dilation: [2, 3],
      padding: [
        [0, 1],
        [2, 1],
      ],
    },
  ],
  [
    "grouped",
    {
      groups: 2,
      padding: [
        [1, 1],
        [1, 1],
      ],
    },
  ],
  ["depthwise", { groups: 4, outChannels: 8 }],
  ["one axis", { inSpatial: [17], kernel: [4], strides: [3], padding: [[2, 3]] }],
  [
    "three axes",
    {
      inSpatial: [4, 5, 3],
      kernel: [2, 3, 2],
      strides: [1, 2, 1],
      padding: [
        [1, 0],
        [0, 1],
        [1, 1],
      ],
    },
  ],
  ["pointwise", { kernel: [1, 1] }],
  [
    "kernel wider than the input",
    {
      inSpatial: [2, 2],
      kernel: [5, 3],
      padding: [
        [4, 4],
        [3, 3],
      ],
    },
  ],
  ["an empty batch", { batch: 0 }],
  [
    "more images than one matrix of patches holds",
    {
      batch: 5,
      inChannels: 30,
      inSpatial: [36, 36],
      outChannels: 2,
      padding: [
        [1, 1],
        [1, 1],
      ],
    },
  ],
];

withBoth((mode) => {
  for (const [name, options] of cases) {
    for (const ArrayType of arrayTypes) {
      it(`convolution and both gradients, ${name} (${ArrayType.name})`, () => {
        setKernels(mode);
        const g = geometry(options);
        const x = new ArrayType(randomArray(1, g.batch * g.inChannels * count(g.inSpatial)));
        const w = new ArrayType(randomArray(2, (g.outChannels * g.inChannels * count(g.kernel)) / g.groups));
        const dy = new ArrayType(randomArray(3, g.batch * g.outChannels * count(g.outSpatial)));
        const [y, dx, dw] = [new Float64Array(dy.length), new Float64Array(x.length), new Float64Array(w.length)];
        forTerms(g, (i, j, k) => {
          y[k]! += x[i]! * w[j]!;
          dx[i]! += dy[k]! * w[j]!;
          dw[j]! += dy[k]! * x[i]!;
        });
        expect(distance(convForward(x, w, g), y)).toBeLessThan(tolerance(x) * 10);
        expect(distance(convInputGrad(dy, w, g), dx)).toBeLessThan(tolerance(x) * 10);
        expect(distance(convKernelGrad(x, dy, g), dw)).toBeLessThan(tolerance(x) * 100);
      });
    }
  }
});

it("max pooling returns the first largest element of each window and its place", () => {
  const x = Float64Array.of(1, 5, 5, 2, 7, 7, 0, 3, -1, -2, 4, 4);
  const { values, indices } = maxPool(x, {
    planes: 1,
    inSpatial: [3, 4],
    kernel: [2, 2],
    strides: [1, 2],
    dilation: [1, 1],
    padding: [
      [0, 0],
      [0, 0],
    ],
    outSpatial: [2, 2],
  });
  expect([...values]).toEqual([7, 5, 7, 4]);
  expect([...indices]).toEqual([4, 2, 4, 10]);
});

it("max pooling ignores the padding, passes NaN on and marks empty windows", () => {
  const x = Float64Array.of(-3, Number.NaN, -1, -5, -4, -6);
  const { values, indices } = maxPool(x, {
    planes: 2,
    inSpatial: [3],
    kernel: [2],
    strides: [1],
    dilation: [1],
    padding: [[2, 1]],
    outSpatial: [5],
  });
  expect([...values]).toEqual([-Infinity, -3, Number.NaN, Number.NaN, -1, -Infinity, -5, -4, -4, -6]);
  expect([...indices]).toEqual([-1, 0, 1, 1, 2, -1, 0, 1, 1, 2]);
});

it("max pooling of a dilated, strided volume equals the plain search", () => {
  const g = {
    planes: 3,
    inSpatial: [4, 5, 6],
    kernel: [2, 2, 3],
    strides: [1, 2, 1],
    dilation: [2, 1, 2],
    padding: [
      [1, 0],
      [0, 1],
      [2, 2],
    ] as const,
    outSpatial: [3, 3, 6],
  };
  const x = randomArray(4, 3 * 120).map((v) => Math.round(v * 4));
  const { values, indices } = maxPool(x, g);
  for (let q = 0; q < values.length; q++) {
    const [plane, ...out] = indexOf(q, [3, ...g.outSpatial]);
    let best = -Infinity;
    let at = -1;
    for (let t = 0; t < count(g.kernel); t++) {
      const tap = indexOf(t, g.kernel);
      const place = out.map((v, i) => v * g.strides[i]! - g.padding[i]![0] + tap[i]! * g.dilation[i]!);
      if (place.some((v, i) => v < 0 || v >= g.inSpatial[i]!)) continue;
      const flat = place.reduce((sum, v, i) => sum * g.inSpatial[i]! + v, 0);
      if (x[plane! * 120 + flat]! > best) [best, at] = [x[plane! * 120 + flat]!, flat];
    }
    expect([values[q], indices[q]]).toEqual([best, at]);
  }
});
