// What the benchmark page runs: each piece of work is described once, as data, and written in every library's own way.

/** One piece of work of the benchmark page. */
export interface Workload {
  readonly id: "small-step" | "large-step" | "chain" | "product" | "gradients";
  readonly title: string;
  readonly description: string;
}

/** The work, in the order of the page's table. */
export const workloads: readonly Workload[] = [
  {
    id: "small-step",
    title: "20 training steps, small network",
    description: "Perceptron 2-64-3, batch 32: mean squared error, its gradient, a step of gradient descent.",
  },
  {
    id: "large-step",
    title: "2 training steps, larger network",
    description: "Perceptron 784-256-10, batch 64, in the same way.",
  },
  {
    id: "chain",
    title: "Chain of elementwise operations",
    description: "sqrt(x x + y y) / 2 + max(x - y, 0) of a million numbers.",
  },
  { id: "product", title: "Matrix product", description: "512 x 512 by 512 x 512." },
  {
    id: "gradients",
    title: "100 gradients of a small function",
    description: "Gradient descent on Rosenbrock's function of ten variables.",
  },
];

/** A perceptron with one hidden layer, its data and how many steps it is trained. */
export interface Perceptron {
  readonly sizes: readonly [inputs: number, hidden: number, outputs: number];
  readonly batch: number;
  readonly steps: number;
  readonly learningRate: number;
  readonly w0: Float32Array;
  readonly b0: Float32Array;
  readonly w1: Float32Array;
  readonly b1: Float32Array;
  readonly x: Float32Array;
  readonly y: Float32Array;
}

/** Reproducible numbers between -scale and scale. */
function numbers(count: number, scale: number, phase: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => scale * Math.sin(1.7 * i + 0.013 * i * i + phase));
}

function perceptron([inputs, hidden, outputs]: Perceptron["sizes"], batch: number, steps: number): Perceptron {
  return {
    sizes: [inputs, hidden, outputs],
    batch,
    steps,
    learningRate: 0.05,
    w0: numbers(inputs * hidden, 1 / Math.sqrt(inputs), 0.3),
    b0: numbers(hidden, 0.1, 0.5),
    w1: numbers(hidden * outputs, 1 / Math.sqrt(hidden), 0.7),
    b1: numbers(outputs, 0.1, 1.1),
    x: numbers(batch * inputs, 1, 1.3),
    y: numbers(batch * outputs, 1, 1.9),
  };
}

/** What the work is done on, the same for every library. */
export const data = {
  "small-step": () => perceptron([2, 64, 3], 32, 20),
  "large-step": () => perceptron([784, 256, 10], 64, 2),
  chain: () => ({ x: numbers(1e6, 1, 0.3), y: numbers(1e6, 1, 2.3) }),
  product: () => ({ size: 512, a: numbers(512 * 512, 1, 0.3), b: numbers(512 * 512, 1, 2.3) }),
  gradients: () => ({ start: numbers(10, 0.5, 0.3), steps: 100, stepSize: 1e-3 }),
} as const;

/**
 * One run of a piece of work from its beginning, which ends when the numbers are readable: the trained second layer's
 * weights, the elements, the product, the last point.
 */
export type Run = () => Promise<Float32Array> | Float32Array;

/** A library, as the benchmark meets it. */
export interface Library {
  readonly name: string;
  readonly version: string;
  /** The work made ready, compiled where the library compiles; a text where the library cannot do it, which says why. */
  prepare(id: Workload["id"]): Promise<Run | string>;
}
