import { condP } from "../control/cond.js";
import { scanP } from "../control/scan.js";
import { whileP } from "../control/while-loop.js";
import { fftP, irfftP, rfftP } from "../fft/primitive.js";
import type { Primitive } from "../primitive.js";
import * as contraction from "./contraction.js";
import * as convolution from "./convolution.js";
import * as decompositions from "./decompositions.js";
import * as elementwise from "./elementwise.js";
import * as indexing from "./indexing.js";
import * as linearAlgebra from "./linear-algebra.js";
import * as lu from "./lu.js";
import * as movement from "./movement.js";
import * as pooling from "./pooling.js";
import * as reduction from "./reduction.js";
import * as scatter from "./scatter.js";
import * as softmax from "./softmax.js";
import * as sorting from "./sorting.js";
import * as special from "./special.js";
import { unwrittenP } from "./unwritten.js";

/** Every primitive by name: what a backend must be able to run or to refuse. */
export const primitives = {
  abs: elementwise.absP,
  acos: elementwise.acosP,
  acosh: elementwise.acoshP,
  add: elementwise.addP,
  argMax: reduction.argMaxP,
  argMin: reduction.argMinP,
  asin: elementwise.asinP,
  asinh: elementwise.asinhP,
  atan: elementwise.atanP,
  atan2: elementwise.atan2P,
  atanh: elementwise.atanhP,
  betainc: special.betaincP,
  broadcastTo: movement.broadcastToP,
  cast: elementwise.castP,
  ceil: elementwise.ceilP,
  cholesky: linearAlgebra.choleskyP,
  choleskyInverse: linearAlgebra.choleskyInverseP,
  concatenate: movement.concatenateP,
  cond: condP,
  conv: convolution.convP,
  convInputGrad: convolution.convInputGradP,
  convKernelGrad: convolution.convKernelGradP,
  cos: elementwise.cosP,
  cosh: elementwise.coshP,
  cumSum: reduction.cumSumP,
  div: elementwise.divP,
  eigh: decompositions.eighP,
  equal: elementwise.equalP,
  erf: special.erfP,
  erfc: special.erfcP,
  erfinv: special.erfinvP,
  exp: elementwise.expP,
  expm: linearAlgebra.expmP,
  expm1: elementwise.expm1P,
  fft: fftP,
  floor: elementwise.floorP,
  gammainc: special.gammaincP,
  gammaincc: special.gammainccP,
  identity: elementwise.identityP,
  irfft: irfftP,
  isFinite: elementwise.isFiniteP,
  isNaN: elementwise.isNanP,
  less: elementwise.lessP,
  lessEqual: elementwise.lessEqualP,
  lgamma: special.lgammaP,
  log: elementwise.logP,
  logSoftmax: softmax.logSoftmaxP,
  log1p: elementwise.log1pP,
  logAddExp: special.logAddExpP,
  logBeta: special.logBetaP,
  logicalAnd: elementwise.andP,
  logicalNot: elementwise.notP,
  logicalOr: elementwise.orP,
  logicalXor: elementwise.xorP,
  lu: lu.luP,
  matmul: contraction.matmulP,
  max: reduction.maxP,
  maximum: elementwise.maximumP,
  maxPool: pooling.maxPoolP,
  min: reduction.minP,
  minimum: elementwise.minimumP,
  mod: elementwise.modP,
  mul: elementwise.mulP,
  neg: elementwise.negP,
  normalLogCdf: special.normalLogCdfP,
  notEqual: elementwise.notEqualP,
  pad: movement.padP,
  polygamma: special.polygammaP,
  pow: elementwise.powP,
  prod: reduction.prodP,
  qr: decompositions.qrP,
  relu: elementwise.reluP,
  reshape: movement.reshapeP,
  rfft: rfftP,
  round: elementwise.roundP,
  scan: scanP,
  scatterAdd: scatter.scatterAddP,
  scatterAddAlongAxis: scatter.scatterAddAlongAxisP,
  scatterMax: scatter.scatterMaxP,
  scatterProduct: scatter.scatterProductP,
  scatterSet: scatter.scatterSetP,
  sigmoid: elementwise.sigmoidP,
  sign: elementwise.signP,
  sin: elementwise.sinP,
  sinh: elementwise.sinhP,
  slice: movement.sliceP,
  slogdet: lu.slogdetP,
  softplus: special.softplusP,
  solve: lu.solveP,
  softmax: softmax.softmaxP,
  sqrt: elementwise.sqrtP,
  sub: elementwise.subP,
  sum: reduction.sumP,
  svd: decompositions.svdP,
  take: indexing.takeP,
  takeAlongAxis: indexing.takeAlongAxisP,
  tan: elementwise.tanP,
  tanh: elementwise.tanhP,
  topKIndices: sorting.topKIndicesP,
  transpose: movement.transposeP,
  triangularSolve: linearAlgebra.triangularSolveP,
  unwritten: unwrittenP,
  where: elementwise.whereP,
  whileLoop: whileP,
  xlogy: special.xlogyP,
};

/** Name of a primitive. */
export type PrimitiveName = keyof typeof primitives;

/** The parameters of a primitive. */
export type PrimitiveParams<N extends PrimitiveName> = (typeof primitives)[N] extends Primitive<infer P> ? P : never;
