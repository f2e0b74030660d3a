export { type ReagentOptions, reagent } from "./reagent.js";
