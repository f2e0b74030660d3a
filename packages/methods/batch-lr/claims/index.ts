import { defineClaims } from "@offprint/claims";
import { batchHessians } from "./batch-hessians.js";
import { learner } from "./learner.js";
import { quadraticClaim } from "./quadratic.js";
import { quadrature } from "./quadrature.js";
import { scaling } from "./scaling.js";
import { theorem } from "./theorem.js";

/** The paper's claims. */
export const claims = defineClaims({
  method: "batch-lr",
  claims: [theorem(), batchHessians(), scaling(), quadraticClaim(), learner(), quadrature()],
});
