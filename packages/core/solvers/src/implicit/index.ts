export type { AdjointOptions } from "./implicit-gradient.js";
export { type ImplicitLeastSquaresOptions, leastSquares } from "./implicit-least-squares.js";
export {
  fixedPoint,
  type ImplicitFixedPointOptions,
  type ImplicitRootOptions,
  type ImplicitSolution,
  root,
  type WithGradientOptions,
  withGradient,
} from "./implicit-roots.js";
