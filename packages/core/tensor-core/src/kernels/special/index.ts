export { besselI0e, besselI1e } from "./bessel.js";
export { betaln } from "./beta.js";
export { erf, erfc, erfcx } from "./erf.js";
export { gamma, lgamma } from "./gamma.js";
export { betainc, betaincinv } from "./incomplete-beta.js";
export { gammainc, gammaincc, gammainccinv, gammaincinv } from "./incomplete-gamma.js";
export { erfcinv, erfinv } from "./inverse-erf.js";
export {
  log1mexp,
  logaddexp,
  logit,
  logSigmoid,
  sigmoid,
  softplus,
  xlog1py,
  xlogy,
} from "./log-exp.js";
export { normalCdf, normalLogCdf, normalQuantile } from "./normal.js";
export { digamma, hurwitzZeta, polygamma, trigamma } from "./polygamma.js";
export { studentTCdf, studentTQuantile } from "./student-t.js";
