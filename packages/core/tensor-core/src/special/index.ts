export { elu, gelu, leakyRelu, logSigmoid, selu, silu, softplus } from "./activations.js";
export { erf, erfc, erfinv } from "./error-function.js";
export { betainc, digamma, gammainc, gammaincc, lgamma, logBeta, polygamma, trigamma } from "./gamma.js";
export { log1mExp, logAddExp, logit, xlogy } from "./logarithms.js";
export { normalCdf, normalLogCdf, normalPdf } from "./normal.js";
