import { defineClaims } from "@offprint/claims";
import { distanceToOptimum } from "./distance-to-optimum.js";
import { l1Images, squaredImages } from "./images.js";
import { iterationsByEta } from "./iterations-by-eta.js";
import { oneDimensional } from "./one-dimensional.js";
import { randomAssignmentIterations } from "./random-assignment.js";
import { sparsity } from "./sparsity.js";

/** The paper's claims. */
export const claims = defineClaims({
  method: "sinkhorn-newton-sparse",
  claims: [
    randomAssignmentIterations(),
    iterationsByEta(),
    squaredImages(),
    l1Images(),
    oneDimensional(),
    sparsity(),
    distanceToOptimum(),
  ],
});
