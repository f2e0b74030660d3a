import { type Tensor, tensor } from "@offprint/tensor-core";
import { readFixture } from "@offprint/testing";
import { expect } from "vitest";

/** A tensor as the script wrote it. */
export interface Held {
  shape: number[];
  data: number[];
}

/** What `make_torch.py` wrote. */
export const fixture = readFixture<any>(import.meta.url, "torch.json");

/** As a float64 tensor. */
export function read({ shape, data }: Held): Tensor {
  return tensor(Float64Array.from(data), { shape });
}

/** Equal up to `tolerance` relative to the largest entry. */
export function expectClose(actual: Tensor, expected: Held, tolerance = 1e-10): void {
  expect(actual.shape).toEqual(expected.shape);
  const scale = Math.max(1e-8, ...expected.data.map(Math.abs));
  const values = actual.data();
  for (let i = 0; i < values.length; i++)
    expect(Math.abs(values[i] - expected.data[i]) / scale).toBeLessThan(tolerance);
}
