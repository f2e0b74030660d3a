import { defineClaims } from "@offprint/claims";
import { barriers } from "./barriers.js";
import { closedForm } from "./closed-form.js";
import { dimension } from "./dimension.js";
import { hopIsGradient } from "./hop-is-gradient.js";
import { proximalLimit } from "./proximal-limit.js";
import { training } from "./training.js";

export { ackley, canyon, type Landscape, quadratic, rastrigin, rosenbrock, wShaped } from "./landscapes.js";

/** The paper's claims. */
export const claims = defineClaims({
  method: "cbo",
  claims: [closedForm(), hopIsGradient(), proximalLimit(), barriers(), dimension(), training()],
});
