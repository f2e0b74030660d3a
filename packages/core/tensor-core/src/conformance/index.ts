// What everything that carries out primitives can be checked with: cases of all of them, and random programs.
import { arrayCases } from "./array-cases.js";
import { elementwiseCases } from "./elementwise-cases.js";
import { linearAlgebraCases } from "./linear-algebra-cases.js";
import type { PrimitiveCase } from "./primitive-case.js";

/** Cases of every primitive, but for those whose parameters are traced functions (`cond`, `scan`, `whileLoop`). */
export const primitiveCases: readonly PrimitiveCase[] = [...elementwiseCases, ...arrayCases, ...linearAlgebraCases];

export { arrayCases } from "./array-cases.js";
export { elementwiseCases } from "./elementwise-cases.js";
export { linearAlgebraCases } from "./linear-algebra-cases.js";
export { call, type PrimitiveCase } from "./primitive-case.js";
export { type Program, randomProgram } from "./random-program.js";
export { type InputSpec, Source, sample } from "./sampling.js";
