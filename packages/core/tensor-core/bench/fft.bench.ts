// Are batched transforms no bottleneck, against NumPy's pocketfft: inside compiled functions, and operation by operation?
import { compare, python } from "@offprint/bench";
import { fft, jitSync, random, type Tensor, tensor } from "@offprint/tensor-core";

const numpy = python(new URL("fft_peers.py", import.meta.url));

async function transforms(size: number, axes: readonly number[]): Promise<void> {
  const rng = random.rng("fft");
  const x = rng.normal([size, size, size], { dtype: "float64" });
  const y = rng.normal([size, size, size], { dtype: "float64" });
  const spectrum = fft.rfftn(x, axes);
  const along = `[${size}, ${size}, ${size}] along [${axes}]`;
  const forward = jitSync((u: Tensor) => fft.rfftn(u, axes), { views: true });
  await compare({
    name: `rfftn of ${along}, compiled`,
    ours: () => forward(x),
    peers: { numpy: numpy.peer("transform", "rfftn", size, axes) },
    maxRatio: 2,
  });
  const narrow = tensor(x, { dtype: "float32" });
  const forward32 = jitSync((u: Tensor) => fft.rfftn(u, axes), { views: true });
  await compare({
    name: `rfftn of ${along} in float32, compiled`,
    ours: () => forward32(narrow),
    peers: { numpy: numpy.peer("transform", "rfftn", size, axes, "float32") },
    maxRatio: 2,
  });
  await compare({
    name: `rfftn of ${along}`,
    ours: () => fft.rfftn(x, axes),
    peers: { numpy: numpy.peer("transform", "rfftn", size, axes) },
    maxRatio: 2,
  });
  await compare({
    name: `irfftn of ${along}`,
    ours: () => fft.irfftn(spectrum, axes),
    peers: { numpy: numpy.peer("transform", "irfftn", size, axes) },
    maxRatio: 2,
  });
  await compare({
    name: `fftn of ${along}`,
    ours: () => fft.fftn({ re: x, im: y }, axes),
    peers: { numpy: numpy.peer("transform", "fftn", size, axes) },
    maxRatio: 2,
  });
}

/** Runs the comparisons. */
export async function run(): Promise<void> {
  await transforms(64, [2]);
  await transforms(64, [1, 2]);
  await transforms(64, [0, 1, 2]);
}
