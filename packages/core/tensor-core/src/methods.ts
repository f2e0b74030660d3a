import * as ops from "./ops/index.js";
import { Tensor } from "./tensor.js";

/** Operations that are methods too; the tensor is their first argument. */
const methods = {
  add: ops.add,
  sub: ops.sub,
  mul: ops.mul,
  div: ops.div,
  pow: ops.pow,
  mod: ops.mod,
  maximum: ops.maximum,
  minimum: ops.minimum,
  neg: ops.neg,
  abs: ops.abs,
  sign: ops.sign,
  exp: ops.exp,
  log: ops.log,
  sqrt: ops.sqrt,
  square: ops.square,
  sin: ops.sin,
  cos: ops.cos,
  tanh: ops.tanh,
  sigmoid: ops.sigmoid,
  relu: ops.relu,
  clip: ops.clip,
  cast: ops.cast,
  equal: ops.equal,
  notEqual: ops.notEqual,
  less: ops.less,
  lessEqual: ops.lessEqual,
  greater: ops.greater,
  greaterEqual: ops.greaterEqual,
  sum: ops.sum,
  mean: ops.mean,
  prod: ops.prod,
  max: ops.max,
  min: ops.min,
  variance: ops.variance,
  std: ops.std,
  argMax: ops.argMax,
  argMin: ops.argMin,
  cumSum: ops.cumSum,
  cumProd: ops.cumProd,
  median: ops.median,
  quantile: ops.quantile,
  logSumExp: ops.logSumExp,
  softmax: ops.softmax,
  reshape: ops.reshape,
  flatten: ops.flatten,
  transpose: ops.transpose,
  swapAxes: ops.swapAxes,
  moveAxis: ops.moveAxis,
  broadcastTo: ops.broadcastTo,
  expandDims: ops.expandDims,
  squeeze: ops.squeeze,
  slice: ops.slice,
  flip: ops.flip,
  take: ops.take,
  takeAlongAxis: ops.takeAlongAxis,
  sort: ops.sort,
  argsort: ops.argsort,
  topK: ops.topK,
  diagonal: ops.diagonal,
  tril: ops.tril,
  triu: ops.triu,
  matmul: ops.matmul,
  dot: ops.dot,
};

type Rest<F> = F extends (x: never, ...rest: infer R) => infer T ? (...rest: R) => T : never;
type Methods = { [K in keyof typeof methods]: Rest<(typeof methods)[K]> };

declare module "./tensor.js" {
  interface Tensor extends Methods {}
}

for (const [name, operation] of Object.entries(methods)) {
  Object.defineProperty(Tensor.prototype, name, {
    value(this: Tensor, ...rest: unknown[]) {
      return (operation as (x: Tensor, ...rest: unknown[]) => Tensor)(this, ...rest);
    },
    configurable: true,
    writable: true,
  });
}
