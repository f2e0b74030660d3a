import { writeSafetensors } from "@offprint/data";
import { random, type Tensor, tensor, tree } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { imageNetworks } from "../src/architectures/named.js";
import {
  binaryConv,
  binaryLinear,
  chain,
  loadNetwork,
  loadOfficialCheckpoint,
  loadPacked,
  type NetworkPart,
  NotBinarizedError,
  packNetwork,
  parts,
  predict,
  realWeights,
  resnet20,
  saveNetwork,
  savePacked,
  smallNetwork,
  straightThrough,
  vggSmall,
  xnorScale,
} from "../src/index.js";
import { signThreshold } from "../src/pack/fuse.js";

const rng = (name: string) => random.rng(`packed ${name}`);
const list = (x: Tensor) => Array.from(x.data());

/** A network with values as after a training: statistics and scales of either sign, none of them special. */
function trainedLike(network: NetworkPart, name: string) {
  const draw = rng(name);
  const [first, second] = draw.split(2);
  const params = tree.map((x: Tensor) => (x.rank === 1 ? first.normal(x.shape, { std: 0.5 }).add(0.3) : x), network.init(draw)); // biome-ignore format: one line
  const state = tree.map((x: Tensor) => second.uniform(x.shape, { low: 0.5, high: 1.5 }), network.initState());
  return { network, params, state, stage: 2 as const };
}

async function expectSame(
  network: NetworkPart,
  images: Tensor,
  name: string,
  engines: readonly ("wasm" | "js")[] = ["wasm", "js"],
) {
  const trained = trainedLike(network, name);
  const packed = packNetwork(trained);
  const expected = list(await predict(trained, images));
  const scale = Math.max(...expected.map(Math.abs));
  for (const kernels of engines) {
    list(packed.run(images, { kernels })).forEach((v, i) => {
      expect(Math.abs(v - expected[i])).toBeLessThanOrEqual(1e-5 * scale);
    });
  }
  return { trained, packed, expected };
}

describe("integer thresholds", () => {
  it("decide the sign of the normalised result for scales of either sign, zero and tiny", () => {
    const draw = rng("thresholds");
    const scale = [...draw.normal([200], { dtype: "float64" }).data(), 0, 0, 1e-30, -1e-30, 1e-300, 0.5, -0.5];
    const shift = [...draw.normal([200], { std: 20, dtype: "float64" }).data(), 0, -1, -3, 3, 1, -20, 20];
    const limit = 45;
    const found = signThreshold(scale, shift, limit);
    const wrong: number[][] = [];
    for (let o = 0; o < scale.length; o++) {
      for (let dot = -limit; dot <= limit; dot++) {
        const expected = scale[o] * dot + shift[o] >= 0;
        if (Math.fround(Math.fround(found.scale[o] * dot) + found.shift[o]) >= 0 !== expected) wrong.push([o, dot]);
      }
    }
    expect(wrong).toEqual([]);
  });
});

describe("packed networks", () => {
  it("with shortcuts give what the float networks give", async () => {
    const { packed } = await expectSame(smallNetwork(), rng("digits").normal([5, 1, 8, 8]), "small");
    expect(packed.layers.map(({ name }) => name)).toEqual(["layer1.body.conv", "layer2.conv", "layer3.body.conv"]);
  });

  it("where the sign alone goes on turn normalisations into thresholds", async () => {
    const network = chain({
      a: binaryConv({ inputs: 3, outputs: 33, kernel: 3, padding: 1 }),
      bnA: parts.batchNorm(33),
      actA: parts.hardtanh,
      b: binaryConv({ inputs: 33, outputs: 6, kernel: 3, strides: 2, groups: 3, padValue: 1, padding: 1 }),
      bnB: parts.batchNorm(6),
      c: binaryConv({ inputs: 6, outputs: 5, kernel: 1 }),
      flatten: parts.flatten,
      d: binaryLinear({ inputs: 45, outputs: 4 }),
    });
    const { packed } = await expectSame(network, rng("images").normal([3, 3, 6, 6]), "chain");
    const [a, b, c] = packed.layers;
    for (const layer of [a, b])
      for (const v of [...layer.scale, ...layer.shift]) expect(Number.isInteger(v)).toBe(true);
    expect([...c.scale].some((v) => !Number.isInteger(v))).toBe(true);
  });

  it.each([
    ["resnet20", { channels: 2 }, 8],
    ["resnet20", { channels: 2, binaryActivations: false }, 8],
    ["resnet20", { weights: xnorScale() }, 8],
  ] as const)("%s with %o gives what the float network gives", async (name, options, side) => {
    const channels = "channels" in options ? options.channels : 3;
    await expectSame(imageNetworks[name](options), rng(name).normal([2, channels, side, side]), name);
  });

  it("VGG-Small gives what the float network gives", async () => {
    await expectSame(vggSmall({ side: 8, weights: straightThrough() }), rng("vgg").normal([1, 3, 8, 8]), "vgg", [
      "wasm",
    ]);
  });

  it("run parts of one's own as they are, in memory only", async () => {
    const own = chain({ conv: binaryConv({ inputs: 2, outputs: 3, kernel: 1 }), own: (x: Tensor) => x.tanh() });
    const { packed } = await expectSame(own, rng("own").normal([2, 2, 3, 3]), "own");
    expect(() => savePacked(packed)).toThrow(/own is a function or a layer of your own/);
  });

  it("take 1/32 of the bytes where channels fill words, and 36 kB for ResNet-20", () => {
    const packed = packNetwork(trainedLike(resnet20(), "size"));
    const wide = packed.layers.find(({ weights }) => weights.shape[1] === 32)!;
    expect(wide.weights.words.byteLength * 32).toBe(4 * wide.weights.shape.reduce((a, b) => a * b));
    // Nine words of 32 bits for each of 16 x 6 + 32 x 6 + 64 channels, eighteen for each of 64 x 5.
    expect(packed.byteLength).toBe(4 * (9 * (16 * 6 + 32 * 6 + 64) + 18 * 64 * 5));
  });

  it("are refused where weights are real: in stage 1, and with real weights", () => {
    const network = smallNetwork();
    expect(() => packNetwork({ ...trainedLike(network, "first"), stage: 1 })).toThrow(/weights not binarised/);
    expect(() => packNetwork({ ...trainedLike(network, "first"), stage: 1 })).toThrow(NotBinarizedError);
    expect(() => packNetwork(trainedLike(smallNetwork({ weights: realWeights() }), "real"))).toThrow(NotBinarizedError);
  });

  it("refuse values that are not finite", () => {
    const trained = trainedLike(smallNetwork(), "nan");
    const names = tree.paths(trained.params);
    let next = 0;
    const broken = (x: Tensor) => (names[next++] === "layer2.conv.alpha" ? x.add(Number.NaN) : x);
    expect(() => packNetwork({ ...trained, params: tree.map(broken, trained.params) })).toThrow(
      /layer2.conv.alpha holds NaN at position 0/,
    );
    const packed = packNetwork(trained);
    expect(() => packed.run(tensor(new Float32Array(64).fill(Infinity), { shape: [1, 1, 8, 8] }))).toThrow(/Infinity/);
    expect(() => packed.run(rng("x").normal([1, 2, 8, 8]))).toThrow();
  });
});

describe("files", () => {
  const images = rng("files").normal([3, 1, 8, 8]);

  it("keep a packed network bit by bit", () => {
    const packed = packNetwork(trainedLike(smallNetwork(), "file"), { metadata: { classes: "0 to 9" } });
    const back = loadPacked(savePacked(packed));
    expect(list(back.run(images))).toEqual(list(packed.run(images)));
    expect(back.metadata).toEqual({ classes: "0 to 9" });
    expect(back.layers[0].weights.words).toEqual(packed.layers[0].weights.words);
  });

  it("that are damaged, cut off or something else are rejected", () => {
    const bytes = savePacked(packNetwork(trainedLike(smallNetwork(), "file")));
    expect(() => loadPacked(bytes.slice(0, bytes.length - 5))).toThrow(/truncated/);
    expect(() => loadPacked(new Uint8Array(7))).toThrow(/safetensors/);
    expect(() => loadPacked(writeSafetensors({ a: tensor([1]) }))).toThrow(/not marked "offprint biper packed 1"/);
    const withSteps = (steps: unknown, tensors: Record<string, Tensor> = {}) =>
      loadPacked(
        writeSafetensors(tensors, { metadata: { format: "offprint biper packed 1", steps: JSON.stringify(steps) } }),
      );
    expect(() => withSteps([{ kind: "magic" }])).toThrow(/no step "magic"/);
    expect(() => withSteps({})).toThrow(/no list/);
    expect(() => withSteps([{ kind: "linear", weight: { tensor: "w" }, bias: null }])).toThrow(/no tensor w/);
    const layer = {
      kind: "binary",
      name: "x",
      weights: { shape: [4, 2, 1, 1], words: { tensor: "words" } },
      geometry: { kernel: [1, 1], strides: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 },
      scale: { tensor: "values" },
      shift: { tensor: "values" },
      padValue: 0,
    };
    const words = (n: number) => tensor(new Int32Array(n));
    const values = tensor(new Float32Array(4));
    expect(() => withSteps([layer], { words: words(3), values })).toThrow(/have 3 words; they must be 4/);
    expect(withSteps([layer], { words: words(4), values }).layers.length).toBe(1);
    expect(() => withSteps([{ ...layer, geometry: { ...layer.geometry, groups: 3 } }], { words: words(4), values })).toThrow(/groups is 3/); // biome-ignore format: one line
  });

  it("keep a trained network, and say what it is", async () => {
    const trained = trainedLike(smallNetwork({ omega: 60, classes: 4 }), "trained");
    const bytes = saveNetwork({ ...trained, stage: 1 }, { metadata: { note: "mine" } });
    const back = loadNetwork(bytes);
    expect(back.stage).toBe(1);
    expect(back.metadata).toEqual({ note: "mine" });
    expect(list(await predict(back, images))).toEqual(list(await predict({ ...trained, stage: 1 }, images)));
    expect(() => loadNetwork(bytes, smallNetwork({ classes: 5 }))).toThrow(/shape/);
    expect(() => loadNetwork(writeSafetensors({ a: tensor([1]) }))).toThrow(/not marked/);
    const own = binaryConv({ inputs: 1, outputs: 1, kernel: 1 });
    const other = saveNetwork({ network: own, params: own.init(rng("o")), state: null, stage: 2 });
    expect(() => loadNetwork(other)).toThrow(/give the network too/);
    expect(loadNetwork(other, own).stage).toBe(2);
  });

  it("of the authors are read under their names", async () => {
    const trained = trainedLike(resnet20(), "official");
    const official: Record<string, Tensor> = { "layer1.0.conv1.tau": tensor([1]) };
    const wrappers = /\.(first|second|block|body)(?=\.)/g;
    const put = (value: unknown, names: Record<string, string>) =>
      tree.leaves<Tensor>(value).forEach((x, i) => {
        const path = tree.paths(value)[i].replace(wrappers, "");
        const key = path.replace(/[^.]+$/, (last) => names[last] ?? last);
        const wide = key.endsWith("alpha") ? x.reshape([x.size, 1, 1]) : x;
        official[key] = key === "linear.weight" ? wide.transpose() : wide;
      });
    put(trained.params, { scale: "weight" });
    put(trained.state, { mean: "running_mean", variance: "running_var" });
    expect(Object.keys(official)).toEqual(
      expect.arrayContaining(["layer2.0.conv1.weight", "layer3.2.conv2.alpha", "bn2.running_var", "linear.bias"]),
    );
    const back = loadOfficialCheckpoint(writeSafetensors(official), resnet20(), 2);
    const x = rng("cifar").normal([1, 3, 8, 8]);
    const expected = list(await predict(trained, x));
    list(await predict(back, x)).forEach((v, i) => expect(v).toBeCloseTo(expected[i], 4));
    delete official["linear.bias"];
    expect(() => loadOfficialCheckpoint(writeSafetensors(official), resnet20(), 2)).toThrow(/no tensor linear.bias/);
  });
});
