import { activationOperators } from "./activation-operators.js";
import { linearOperators } from "./linear-operators.js";
import { movementOperators } from "./movement-operators.js";
import type { Operator } from "./operator.js";
import { sortingOperators } from "./sorting-operators.js";
import { windowOperators } from "./window-operators.js";

/** The operators that are read, by name. */
export const operators: Readonly<Record<string, Operator>> = {
  ...linearOperators,
  ...windowOperators,
  ...movementOperators,
  ...sortingOperators,
  ...activationOperators,
};
