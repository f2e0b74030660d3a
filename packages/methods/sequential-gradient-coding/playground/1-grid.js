// Workers, rounds and stragglers
// A cluster of which some workers are slow in bursts, under four schemes: who works as planned, who makes up for what was lost, who is let go, who is waited for. Change how often and how long workers are slow, the work of a gradient, or the scheme that is drawn.

import {
  drawDelays,
  gilbertElliott,
  gridKinds,
  makeScheme,
  selectParameters,
  simulate,
} from "@offprint/sequential-gradient-coding";
import { random } from "@offprint/tensor-core";

const [workers, jobs, alpha] = [24, 60, 8];
const rng = random.rng(4);
const pattern = gilbertElliott(rng, { workers, rounds: jobs + 8, slowing: 0.04, recovery: 0.6 });
const delays = drawDelays(rng, pattern, { base: 1, spread: 0.1, slowFactor: [4, 8] });

const { choices } = await selectParameters(delays, { jobs, alpha, maxBurst: 2, maxWindow: 5, maxLambda: 12 });
for (const { kind, parameters, total, load } of choices) {
  console.log(`${kind} ${JSON.stringify(parameters)}: ${total.toFixed(1)} normal rounds, load ${load.toFixed(3)}`);
}

const drawn = makeScheme(
  workers,
  choices.find(({ kind }) => kind === "m-sgc"),
);
const { grid } = simulate(drawn, delays, { jobs, alpha });
display({
  kind: "heat-map",
  title: `${drawn.name}: ${gridKinds.map((kind, k) => `${k} ${kind}`).join(", ")}`,
  x: { label: "round" },
  y: { label: "worker" },
  value: { label: "what it did", range: [0, 4] },
  values: Array.from({ length: workers }, (_, i) => grid.map((round) => round[i])),
});

display({
  kind: "line",
  title: "Time against rounds",
  x: { label: "round" },
  y: { label: "time", unit: "normal rounds" },
  curves: choices.map((choice) => {
    let time = 0;
    const { durations } = simulate(makeScheme(workers, choice), delays, { jobs, alpha });
    return { name: choice.kind, y: Array.from(durations, (each) => (time += each)) };
  }),
});
