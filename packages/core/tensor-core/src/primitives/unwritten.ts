import { zeros } from "../construct.js";
import { bindOne, definePrimitive, type Primitive } from "../primitive.js";
import type { Shape } from "../shape.js";
import type { Tensor } from "../tensor.js";

/** What is to be written. */
export interface UnwrittenParams {
  readonly shape: Shape;
}

/** Memory whose numbers are whatever they are, of the type of the input. Zeros where nothing is compiled. */
export const unwrittenP: Primitive<UnwrittenParams> = definePrimitive<UnwrittenParams>({
  name: "unwritten",
  outputs: ([{ dtype }], { shape }) => [{ shape, dtype }],
  host: ([{ dtype }], { shape }) => [zeros(shape, dtype)],
  vjp: () => [null],
  batch: ([like], _, { shape }, size) => [bindOne(unwrittenP, [like], { shape: [size, ...shape] })],
});

/**
 * Room for rows that `scatterSet` will write, without the time to fill it: what it holds before that is not defined, so a
 * program must not read it.
 * @param like - a tensor of the program that writes the rows, of their type
 */
export function unwritten(shape: Shape, like: Tensor): Tensor {
  return bindOne(unwrittenP, [like], { shape });
}
