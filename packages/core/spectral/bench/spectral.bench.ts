import { compare, python } from "@offprint/bench";
import {
  type Complex,
  gaussianRandomField,
  navierStokes,
  schemes,
  spectralConvolution,
  spectralInitializers,
  torus,
  toSpectrum,
} from "@offprint/spectral";
import { grad, jitSync, random, scan, type Tensor } from "@offprint/tensor-core";

/* How long do flows take against NumPy, and a layer of a neural operator with its gradient against PyTorch? */

const numpy = python(new URL("numpy_peers.py", import.meta.url));

async function flow(n: number, batch: number, steps: number): Promise<void> {
  const grid = torus({ points: [n, n] });
  const system = navierStokes(grid, { viscosity: 1e-3 });
  const start = toSpectrum(grid, gaussianRandomField(grid, random.rng("bench"), { batch }));
  const run = jitSync(
    (w: Complex) =>
      scan((s: Complex, _: null): [Complex, null] => [schemes.imex2.step(system, s, 0.01), null], w, null, {
        length: steps,
      })[0],
  );
  await compare({
    name: `${steps} steps of ${batch} flows on ${n} x ${n}, imex2`,
    ours: () => run(start),
    peers: { numpy: numpy.peer("flow", n, batch, steps) },
    maxRatio: 1,
  });
}

async function layer(batch: number, channels: number, n: number, frames: number, time: number): Promise<void> {
  const spatial = 6;
  const convolution = spectralConvolution({
    inputs: channels,
    outputs: channels,
    modes: [spatial, spatial, time],
    weightInit: spectralInitializers.normal(),
  });
  const { weight } = convolution.init(random.rng("layer"));
  const x = random.rng("input").normal([batch, channels, n, n, frames]);
  const gradient = jitSync(
    grad(({ u, w }: { u: Tensor; w: Complex }) => convolution.apply({ weight: w }, u).square().sum()),
  );
  await compare({
    name: `spectral layer with gradient, [${batch}, ${channels}, ${n}, ${n}, ${frames}]`,
    ours: () => gradient({ u: x, w: weight }),
    peers: { torch: numpy.peer("layer", batch, channels, n, frames, time, spatial) },
    maxRatio: 1,
  });
}

/** Runs the comparisons. */
export async function run(): Promise<void> {
  await flow(32, 4, 20);
  await flow(64, 4, 10);
  await layer(4, 6, 32, 10, 5);
}
