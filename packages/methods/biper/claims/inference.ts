import { type Claim, processorSeconds } from "@offprint/claims";
import { conv, type random, type Tensor } from "@offprint/tensor-core";
import {
  type PackedModel,
  packActivations,
  packNetwork,
  packWeights,
  predict,
  unpackActivations,
  unpackWeights,
  xnorConv2d,
} from "../src/index.js";
import { type DigitRuns, digitRuns } from "./digit-runs.js";
import { plainConvolution } from "./plain-convolution.js";

function classes(logits: Tensor): readonly number[] {
  return Array.from(logits.argMax({ axis: -1 }).data());
}

/** Integer dot products of every binary layer, packed and by a float convolution of the same signs. */
function differingDots(packed: PackedModel, rng: random.Rng): number {
  let differing = 0;
  for (const { weights, geometry } of packed.layers) {
    const { groups, strides, padding, dilation } = geometry;
    const a = rng.normal([4, weights.shape[1] * groups, 8, 8]);
    const activations = packActivations(a, { groups });
    const dots = xnorConv2d(activations, weights, { strides, padding, dilation });
    const pairs = padding.map((n) => [n, n] as [number, number]);
    const options = { strides, padding: pairs, dilation, groups };
    const exact = conv(unpackActivations(activations), unpackWeights(weights), options).data();
    for (let i = 0; i < exact.length; i++) if (exact[i] !== dots[i]) differing++;
  }
  return differing;
}

/**
 * The packed network computes what the float network does.
 * @param pack how a network is packed; tests put a wrong way in its place
 */
export function bitExact(runs: DigitRuns = digitRuns(), pack: typeof packNetwork = packNetwork): Claim {
  return {
    id: "bit-exact",
    statement: "With packed bits, XNOR and popcount the network gives what it gives in floating point",
    source: "Section 1",
    paper: "binary networks run on bitwise operations",
    async run(context) {
      const { seed, backend, rng } = context;
      const [{ model, test }] = await runs.train(context, [
        { kind: "two stages", omega: 60, learningRate: 0.05, seed },
      ]);
      const images = test.inputs.slice([{ stop: 597 }]);
      const packed = pack(model);
      const expected = await predict(model, images, { batchSize: 597, ...(backend && { backend }) });
      const found = packed.run(images);
      const [x, y] = [expected.data(), found.data()];
      let apart = 0;
      for (let i = 0; i < x.length; i++) apart = Math.max(apart, Math.abs(x[i] - y[i]));
      const other = classes(expected);
      const changed = classes(found).filter((c, i) => c !== other[i]).length;
      const dots = differingDots(packed, rng);
      return {
        measured: { "differing integers": dots, "largest difference of logits": apart, "changed predictions": changed },
        holds: dots === 0 && apart <= 1e-5 && changed === 0,
        detail:
          `Of the integer dot products none may differ (${dots} do), logits by at most 1e-5 (${apart.toExponential(1)}), and of ` +
          `the predictions on 597 test images none (${changed}).`,
      };
    },
  };
}

/** Milliseconds of processor time, which others on the machine do not take. */
function fastest(work: () => unknown, times: number): number {
  let best = Infinity;
  for (let i = 0; i < times; i++) {
    const start = processorSeconds();
    work();
    best = Math.min(best, 1e3 * (processorSeconds() - start));
  }
  return best;
}

const [CHANNELS, SIDE] = [64, 32];

/**
 * Size and speed of a packed layer.
 * @param convolve the packed convolution; tests put a slow one in its place
 */
export function packedCost(convolve: typeof xnorConv2d = xnorConv2d): Claim {
  return {
    id: "packed-cost",
    statement: "Packed weights take a thirtieth of the memory, and their convolution a third of the time",
    source: "Section 1",
    paper: "1/32 of the memory, fewer operations",
    async run({ rng, onProgress }) {
      const a = rng.normal([1, CHANNELS, SIDE, SIDE]);
      const w = rng.normal([CHANNELS, CHANNELS, 3, 3]);
      const weights = packWeights(w);
      const share = weights.words.byteLength / (4 * w.size);
      const activations = packActivations(a);
      const signs = (x: Tensor) => Float32Array.from(x.data(), (v) => (v >= 0 ? 1 : -1));
      const [x, v] = [signs(a), signs(w)];
      const plain = () => plainConvolution(x, v, CHANNELS, SIDE);
      const packed = () => convolve(activations, weights, { padding: 1 });
      const exact = plain();
      const equal = packed().every((dot, i) => dot === exact[i]);
      await onProgress(0.3);
      const [slow, quick] = [fastest(plain, 3), fastest(packed, 40)];
      return {
        measured: { "part of the memory": share, "times as fast as a plain loop": slow / quick },
        holds: equal && share <= 1 / 30 && slow / quick >= 3,
        detail:
          `Packed weights must take at most 1/30 of the bytes in float32 (${share.toFixed(5)}); a 3 x 3 convolution of 64 to 64 channels on ` +
          `32 x 32 must be at least 3 times as fast as a plain JavaScript loop over float32 values: ${quick.toFixed(2)} ms against ${slow.toFixed(1)} ms.`,
      };
    },
  };
}
