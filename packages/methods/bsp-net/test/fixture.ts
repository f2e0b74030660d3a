import { type Tensor, tensor } from "@offprint/tensor-core";
import { readFixture } from "@offprint/testing";

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
