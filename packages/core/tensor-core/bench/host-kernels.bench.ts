// Are the host kernels fast enough to be used without a backend?
import { compare, python } from "@offprint/bench";
import { add, exp, grad, matmul, mul, sin, sum, type Tensor, tanh, tensor, trace } from "@offprint/tensor-core";

const numpy = python(new URL("numpy_peers.py", import.meta.url));

/** Numbers of about unit size that need no generator; the kernels' time does not depend on them. */
function values<T extends Float32Array | Float64Array>(array: T): T {
  for (let i = 0; i < array.length; i++) array[i] = Math.sin(1.7 * i + 0.3);
  return array;
}

async function matrixProduct(dtype: "float32" | "float64", minRate: number): Promise<void> {
  const n = 512;
  const storage = () => values(dtype === "float32" ? new Float32Array(n * n) : new Float64Array(n * n));
  const [a, b] = [tensor(storage(), { shape: [n, n] }), tensor(storage(), { shape: [n, n] })];
  await compare({
    name: `matmul ${n}x${n} ${dtype}`,
    ours: () => matmul(a, b),
    peers: { numpy: numpy.peer("matmul", n, dtype) },
    work: { amount: (2 * n ** 3) / 1e9, unit: "GFLOP" },
    minRate,
    repetitionSeconds: 0.1,
  });
}

async function elementwise(): Promise<void> {
  const n = 1e6;
  const [a, b] = [tensor(values(new Float64Array(n))), tensor(values(new Float64Array(n)))];
  await compare({
    name: "add, 1e6 float64",
    ours: () => add(a, b),
    peers: { numpy: numpy.peer("add", n) },
    maxRatio: 2,
  });
  await compare({
    name: "exp, 1e6 float64",
    ours: () => exp(a),
    peers: { numpy: numpy.peer("exp", n) },
    maxRatio: 2,
  });
}

/** Two small functions; what a primitive costs is the time of `grad` over the primitives of the function itself. */
const functions: Record<string, (x: Tensor) => Tensor> = {
  "sum(sin(x) exp(x))": (x) => sum(mul(sin(x), exp(x))),
  "6 nested tanh(y + x)": (x) => {
    let y = x;
    for (let i = 0; i < 6; i++) y = tanh(add(y, x));
    return sum(y);
  },
};

async function smallGradients(): Promise<void> {
  for (const [name, f] of Object.entries(functions)) {
    for (const size of [1, 100]) {
      const x = tensor(values(new Float64Array(size)));
      const primitives = trace(f, x).equations.length;
      await compare({
        name: `grad of ${name}, ${size} elements`,
        ours: () => grad(f)(x),
        work: { amount: primitives, unit: "primitive" },
        maxSeconds: 25e-6 * primitives,
      });
    }
  }
}

export async function run(): Promise<void> {
  await matrixProduct("float32", 12);
  await matrixProduct("float64", 6);
  await elementwise();
  await smallGradients();
}
