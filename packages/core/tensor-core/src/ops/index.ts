export * from "../construct.js";
export * from "./contraction.js";
export * from "./elementwise.js";
export * from "./movement.js";
export * from "./reduction.js";
