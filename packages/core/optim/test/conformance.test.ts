import { describe, expect, it } from "vitest";
import { optimizerConformance } from "../src/conformance.js";
import {
  adabelief,
  adadelta,
  adagrad,
  adam,
  adamax,
  adamw,
  addDecayedWeights,
  amsgrad,
  chain,
  clipByGlobalNorm,
  clipByValue,
  masked,
  partition,
  rmsprop,
  scale,
  sgd,
} from "../src/index.js";

const tools = { describe, it, expect };
const nan = Number.NaN;

optimizerConformance(
  "sgd",
  {
    make: sgd,
    quadratic: { learningRate: 0.1, steps: 100, tolerance: 1e-5 },
    invalid: [() => sgd({ learningRate: -1 }), () => sgd({ momentum: 1 }), () => sgd({ nesterov: true })],
  },
  tools,
);
optimizerConformance(
  "sgd with momentum",
  {
    make: (options) => sgd({ momentum: 0.9, ...options }),
    quadratic: { learningRate: 0.02, steps: 300, tolerance: 1e-4 },
    invalid: [() => sgd({ momentum: -0.1 }), () => sgd({ momentum: nan }), () => sgd({ weightDecay: -1 })],
  },
  tools,
);
optimizerConformance(
  "sgd with Nesterov momentum",
  {
    make: (options) => sgd({ momentum: 0.9, nesterov: true, ...options }),
    quadratic: { learningRate: 0.02, steps: 300, tolerance: 1e-4 },
    invalid: [() => sgd({ momentum: 0.9, nesterov: true, learningRate: Number.POSITIVE_INFINITY })],
  },
  tools,
);
optimizerConformance(
  "masked decay before momentum",
  {
    make: (options) =>
      chain(
        masked(addDecayedWeights(0), (_, x) => x.rank > 1),
        sgd({ momentum: 0.9, ...options }),
      ),
    quadratic: { learningRate: 0.02, steps: 300, tolerance: 1e-4 },
    invalid: [() => masked(scale(-nan), true)],
  },
  tools,
);
optimizerConformance(
  "a partition",
  {
    make: (options) =>
      partition({ matrices: adam(options), others: adam(options) }, (_, x) => (x.rank > 1 ? "matrices" : "others")),
    quadratic: { learningRate: 0.1, steps: 600, tolerance: 1e-3 },
    invalid: [() => partition({}, "adam" as never), () => partition({ adam: adam as never }, "adam")],
  },
  tools,
);
for (const [name, make] of Object.entries({ adam, amsgrad, adamax, adabelief })) {
  optimizerConformance(
    name,
    {
      make,
      quadratic: { learningRate: 0.1, steps: 600, tolerance: 1e-3 },
      invalid: [
        () => make({ learningRate: -1 }),
        () => make({ learningRate: nan }),
        () => make({ beta1: 1 }),
        () => make({ beta1: -0.1 }),
        () => make({ beta2: 1 }),
        () => make({ epsilon: -1 }),
        () => make({ weightDecay: -1 }),
      ],
    },
    tools,
  );
}
optimizerConformance(
  "adamw",
  {
    make: (options) => adamw({ weightDecay: 0, ...options }),
    quadratic: { learningRate: 0.1, steps: 600, tolerance: 1e-3 },
    invalid: [() => adamw({ weightDecay: -0.1 }), () => adamw({ beta2: nan })],
  },
  tools,
);
optimizerConformance(
  "adagrad",
  {
    make: adagrad,
    quadratic: { learningRate: 1, steps: 300, tolerance: 1e-3 },
    invalid: [() => adagrad({ learningRate: -1 }), () => adagrad({ epsilon: -1 })],
  },
  tools,
);
optimizerConformance(
  "rmsprop",
  {
    make: rmsprop,
    quadratic: { learningRate: 0.003, steps: 2000, tolerance: 5e-3 },
    invalid: [() => rmsprop({ rho: 1 }), () => rmsprop({ epsilon: nan })],
  },
  tools,
);
optimizerConformance(
  "adadelta",
  {
    make: adadelta,
    quadratic: { learningRate: 20, steps: 1000, tolerance: 0.02 },
    invalid: [() => adadelta({ rho: -1 }), () => adadelta({ epsilon: 0 })],
  },
  tools,
);
optimizerConformance(
  "a chain with clipping",
  {
    make: ({ learningRate = 0.01 }) =>
      chain(clipByGlobalNorm(1), clipByValue(0.9), addDecayedWeights(0), scale(0.5), sgd({ learningRate })),
    quadratic: { learningRate: 0.2, steps: 300, tolerance: 1e-4 },
    invalid: [
      () => chain(),
      () => clipByGlobalNorm(0),
      () => clipByValue(-1),
      () => addDecayedWeights(nan),
      () => scale(nan),
    ],
    coordinatewise: false,
  },
  tools,
);
