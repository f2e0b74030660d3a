import { add, eye, linalg, matmul, mul, random, transpose } from "@offprint/tensor-core";
import { expectClose } from "@offprint/testing";
import { expect, it } from "vitest";
import { choleskyInverse } from "../src/cholesky-inverse.js";

it.each([1, 3, 64, 65, 130, 261])(
  "the inverse of a matrix of order %i by its factor, symmetric to the last bit",
  (n) => {
    const A = random.rng(n).normal([n, n], { dtype: "float64" });
    const unit = eye(n, n, "float64");
    const K = add(mul(1 / n, matmul(A, transpose(A))), unit);
    const inverse = choleskyInverse(linalg.cholesky(K));
    expectClose(matmul(inverse, K), unit, { absolute: 1e-12 });
    expect([...inverse.data()]).toEqual([...transpose(inverse).data()]);
  },
);
