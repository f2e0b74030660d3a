import { defineClaims } from "@offprint/claims";
import { activeSetTime } from "./active-set-bound.js";
import { finiteTermination } from "./finite-termination.js";
import { greedyRules, matrixSteps } from "./greedy-rules.js";
import { messagePassing } from "./message-passing.js";
import { multiClass } from "./multi-class.js";

/** The paper's claims. */
export const claims = defineClaims({
  method: "faster-bcd",
  claims: [greedyRules(), matrixSteps(), messagePassing(), finiteTermination(), activeSetTime(), multiClass()],
});
