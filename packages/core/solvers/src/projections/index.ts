export { type IntersectionOptions, intersection } from "./intersection.js";
export { affineSet, halfSpace, simplex } from "./linear-sets.js";
export { ball, box, type Projection, secondOrderCone } from "./norm-sets.js";
export { type PolyhedronOptions, polyhedron } from "./polyhedron.js";
export { type SoftMarginExamples, softMarginSet } from "./soft-margin-set.js";
