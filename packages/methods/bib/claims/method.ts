import { bidirectionalLoss, descendBalanced, designWith, fitForward, fitTable } from "../src/index.js";

/** What the claims are about; tests put a baseline or a broken variant in the place of a part. */
export const bib = { bidirectionalLoss, descendBalanced, designWith, fitForward, fitTable };

/** The method as the claims take it. */
export type Method = typeof bib;
