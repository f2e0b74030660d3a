import { expect, it } from "vitest";
import * as tc from "../src/index.js";

const x = tc.tensor([
  [1, 2],
  [3, 4],
]);
const rng = () => tc.random.rng(1);

/** Calls with an argument missing, null or of another kind, as callers without types write them. */
const calls: [name: string, run: (wrong: never) => unknown][] = [
  ["zeros", (wrong) => tc.zeros(wrong)],
  ["full", (wrong) => tc.full(wrong, 1)],
  ["zerosLike", (wrong) => tc.zerosLike(wrong)],
  ["reshape", (wrong) => tc.reshape(x, wrong)],
  ["broadcastTo", (wrong) => tc.broadcastTo(x, wrong)],
  ["slice", (wrong) => tc.slice(x, wrong)],
  ["pad", (wrong) => tc.pad(x, wrong)],
  ["concatenate", (wrong) => tc.concatenate(wrong)],
  ["stack", (wrong) => tc.stack(wrong)],
  ["split", (wrong) => tc.split(x, wrong)],
  ["tile", (wrong) => tc.tile(x, wrong)],
  ["at", (wrong) => tc.at(x, wrong)],
  ["meshgrid", (wrong) => tc.meshgrid(wrong)],
  ["quantile", (wrong) => tc.quantile(x, wrong)],
  ["sum", (wrong) => tc.sum(wrong)],
  ["matmul", (wrong) => tc.matmul(x, wrong)],
  ["where", (wrong) => tc.where(true, wrong, 1)],
  ["grad", (wrong) => tc.grad(wrong)],
  ["valueAndGrad", (wrong) => tc.valueAndGrad(wrong)],
  ["vjp", (wrong) => tc.vjp(wrong, x)],
  ["jvp", (wrong) => tc.jvp(wrong, [x], [x])],
  ["arguments of jvp", (wrong) => tc.jvp(() => x, wrong, wrong)],
  ["hvp", (wrong) => tc.hvp(wrong)],
  ["jacobian", (wrong) => tc.jacobian(wrong)],
  ["hessian", (wrong) => tc.hessian(wrong)],
  ["vmap", (wrong) => tc.vmap(wrong)],
  ["checkpoint", (wrong) => tc.checkpoint(wrong)],
  ["customVjp", (wrong) => tc.customVjp(() => x, wrong, wrong)],
  ["cond", (wrong) => tc.cond(true, wrong, wrong)],
  ["scan", (wrong) => tc.scan(wrong, x, x)],
  ["whileLoop", (wrong) => tc.whileLoop(wrong, wrong, x)],
  ["linalg.solve", (wrong) => tc.linalg.solve(x, wrong)],
  ["fft", (wrong) => tc.fft.fft(wrong)],
  ["rng.normal", (wrong) => rng().normal(wrong)],
  ["rng.beta", (wrong) => rng().beta([2], wrong)],
  ["rng.randint", (wrong) => rng().randint([2], wrong)],
  ["rng.categorical", (wrong) => rng().categorical([2], wrong)],
  ["rng.studentT", (wrong) => rng().studentT([2], wrong)],
  ["rng.dirichlet", (wrong) => rng().dirichlet([2], wrong)],
  ["trace", (wrong) => tc.trace(wrong)],
  ["backend of jit", () => tc.jit((v: tc.Tensor) => v, { backend: {} as never })],
  ["jitSync", (wrong) => tc.jitSync(wrong)],
  ["jitAtPoint", (wrong) => tc.jitAtPoint(wrong)],
  ["fastest", (wrong) => tc.fastest(wrong)],
  ["einsum", (wrong) => tc.einsum(wrong, x)],
  ["operands of einsum", (wrong) => tc.einsum("ij->i", wrong)],
  ["tree.map", (wrong) => tc.tree.map(wrong, [1])],
  ["tree.unflatten", (wrong) => tc.tree.unflatten(wrong, [1])],
  ["leaves of tree.unflatten", (wrong) => tc.tree.unflatten(tc.tree.structure([1, 2]), wrong)],
];

it.each(calls)("%s says what is missing", (_, run) => {
  for (const wrong of [undefined, null, "text"]) {
    let error: unknown;
    try {
      run(wrong as never);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(tc.OffprintError);
  }
});

it("vmap takes nested numbers as one tensor, and grad says how to", () => {
  expect(
    tc.vmap((v: tc.Tensor) => tc.sum(v))([
      [1, 2],
      [3, 4],
    ] as never),
  ).toMatchObject({ shape: [2] });
  expect(() => tc.grad((v: tc.Tensor) => tc.sum(v))([1, 2] as never)).toThrow("tensor([...])");
  expect(tc.grad((v: tc.Tensor) => tc.sum(v))(tc.tensor([1, 2])).shape).toEqual([2]);
});

it("padding is a number, and not an object that holds one", () => {
  expect(() => tc.pad(x, [1, 1], { value: 1 } as never)).toThrow(
    "integers [before, after] for each of 2 axes and a number",
  );
});

/** Functions of sparse matrices that take anything, or numbers, in that place. */
const lenient = /^(isSparseMatrix|identity)$|Matrix$|Factorization$/;

it.each(Object.entries(tc.sparse).filter(([name, f]) => typeof f === "function" && !lenient.test(name)))(
  "sparse.%s fails with a typed error, if at all",
  (_, f) => {
    const call = f as (...values: unknown[]) => unknown;
    const matrix = tc.sparse.fromDense([
      [2, 0],
      [1, 3],
    ]);
    expect(() => call(undefined)).toThrow(tc.OffprintError);
    for (const wrong of [undefined, null, "text"]) {
      for (const given of [[wrong], [matrix, wrong], [matrix, matrix, wrong]]) {
        try {
          call(...given);
        } catch (error) {
          expect(error).toBeInstanceOf(tc.OffprintError);
        }
      }
    }
  },
);
