import { asTensor } from "../construct.js";
import { recordingBelow } from "../levels.js";
import { bindOne } from "../primitive.js";
import { identityP } from "../primitives/elementwise.js";
import type { TensorLike } from "../tensor.js";
import * as tree from "../tree.js";
import { customVjp } from "./custom-vjp.js";
import { vjp } from "./vjp.js";

let barriers = 0;

/**
 * `f` with a gradient that computes `f` again instead of keeping its intermediate values: less memory for about one
 * more evaluation. Whatever needs a gradient must be an argument.
 */
export function checkpoint<A extends any[], R>(f: (...args: A) => R): (...args: A) => R {
  return customVjp(
    f,
    (...args) => [recordingBelow(1, () => f(...args)), args],
    (args, cotangent) => {
      // Without the barrier a graph would merge the second evaluation with the first.
      const barrier = ++barriers;
      const again = tree.map((leaf: TensorLike) => bindOne(identityP, [asTensor(leaf)], { barrier }), args as A);
      return vjp(f as (...args: any[]) => R, ...again)[1](cotangent);
    },
  );
}
