import { defineClaims } from "@offprint/claims";
import { betterSampler } from "./better-sampler.js";
import { editing } from "./editing.js";
import { bdiaEdm } from "./edm.js";
import { errorConstant } from "./error-constant.js";
import { exactInversion } from "./exact-inversion.js";

/** The paper's claims. */
export const claims = defineClaims({
  method: "bdia",
  claims: [exactInversion(), errorConstant(), betterSampler(), editing(), bdiaEdm()],
});
