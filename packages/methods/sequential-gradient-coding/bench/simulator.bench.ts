// What do a simulated run and a decoding cost, beside the same in NumPy?
import { compare, python } from "@offprint/bench";
import { random } from "@offprint/tensor-core";
import { cyclicCode, drawDelays, gilbertElliott, mSgc, simulate } from "../src/index.js";

const numpy = python(new URL("coding_peers.py", import.meta.url));

/** Runs the comparisons. */
export async function run(): Promise<void> {
  const [workers, jobs, window, burst, lambda] = [256, 400, 10, 2, 27];
  const rng = random.rng(0);
  const rounds = jobs + window + burst;
  const delays = drawDelays(rng, gilbertElliott(rng, { workers, rounds, slowing: 0.02, recovery: 0.8 }));
  const scheme = mSgc({ workers, burst, window, lambda });
  await compare({
    name: `simulated run, ${workers} workers, ${jobs} jobs, W = ${window}`,
    ours: () => simulate(scheme, delays, { jobs, alpha: 16 }),
    peers: { "the same in NumPy": numpy.peer("simulate", workers, jobs, burst, window, lambda) },
    work: { amount: jobs + scheme.delay, unit: "rounds" },
    maxRatio: 1,
    repetitions: 5,
  });
  const stragglers = 15;
  const code = cyclicCode(workers, stragglers);
  code.decode(Array.from({ length: workers }, (_, i) => i));
  // Other survivors every time, more than are remembered.
  const survivors = Array.from({ length: 2000 }, () =>
    Array.from(rng.permutation(workers).data().slice(stragglers)).sort((a, b) => a - b),
  );
  let next = 0;
  await compare({
    name: `decoding, ${workers} workers of which ${stragglers} are missing`,
    ours: () => code.decode(survivors[next++ % survivors.length]),
    peers: { "numpy.linalg.lstsq": numpy.peer("decode", workers, stragglers) },
    maxSeconds: 0.02,
    maxRatio: 0.5,
    repetitions: 7,
  });
}
