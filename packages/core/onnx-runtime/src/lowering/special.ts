import {
  abs,
  add,
  equal,
  exp,
  isNaN as isNan,
  log,
  log1p,
  logicalAnd,
  logicalNot,
  maximum,
  mul,
  neg,
  type PrimitiveName,
  sub,
  where,
} from "@offprint/tensor-core";
import { composedElementwise } from "./composed.js";
import { errorFunctionLowerings } from "./error-function.js";
import type { Lowerings } from "./lowering.js";

export const specialLowerings = {
  ...errorFunctionLowerings,
  softplus: composedElementwise((x) => add(maximum(x, 0), log1p(exp(neg(abs(x)))))),
  logAddExp: composedElementwise((a, b) => {
    // Equal infinities have no difference.
    const apart = where(equal(a, b), 0, sub(a, b));
    return add(maximum(a, b), log1p(exp(neg(abs(apart)))));
  }),
  xlogy: composedElementwise((x, y) => {
    const vanishes = logicalAnd(equal(x, 0), logicalNot(isNan(y)));
    return where(vanishes, 0, mul(x, log(y)));
  }),
} satisfies Partial<Lowerings<PrimitiveName>>;
