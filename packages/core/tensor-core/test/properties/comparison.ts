import { expect } from "vitest";
import type { Tensor } from "../../src/index.js";

/** Largest difference of two tensors relative to the largest magnitude (at least 1); NaN and infinities must agree. */
export function distance(actual: Tensor, expected: Tensor): number {
  expect(actual.shape).toEqual(expected.shape);
  const x = actual.data();
  const y = expected.data();
  let scale = 1;
  for (const v of y) if (Number.isFinite(v)) scale = Math.max(scale, Math.abs(v));
  let worst = 0;
  for (let i = 0; i < y.length; i++) {
    if (Object.is(x[i], y[i]) || x[i] === y[i]) continue;
    const difference = Math.abs(x[i] - y[i]);
    worst = Math.max(worst, Number.isFinite(difference) ? difference / scale : Number.POSITIVE_INFINITY);
  }
  return worst;
}

export function expectClose(actual: Tensor, expected: Tensor, tolerance: number, what: string): void {
  expect(actual.dtype, `${what}: dtype`).toBe(expected.dtype);
  const error = distance(actual, expected);
  if (!(error <= tolerance)) {
    expect.fail(`${what}: differs by ${error} (allowed ${tolerance}): ${actual} instead of ${expected}`);
  }
}

/** `expectClose` for lists of tensors. */
export function expectAllClose(
  actual: readonly Tensor[],
  expected: readonly Tensor[],
  tolerance: number,
  what: string,
): void {
  expect(actual.length, what).toBe(expected.length);
  actual.forEach((x, i) => {
    expectClose(x, expected[i], tolerance, `${what}, output ${i}`);
  });
}
