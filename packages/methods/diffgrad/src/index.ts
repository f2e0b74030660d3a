export { type DiffGradOptions, type DiffGradState, diffGrad } from "./diffgrad.js";
export { type Friction, type FrictionVariant, frictionCoefficient, frictionOfUpdate } from "./friction.js";
export type { DiffGradSlot } from "./rule.js";
