import type { Equation } from "../graph/builder.js";
import { addP, negP, subP } from "../primitives/elementwise.js";
import type { Element } from "./values.js";

/** An operation on numbers that are not negatives of others, as far as that is known, and whether its result is to be negated. */
export interface SignedOperation {
  readonly equation: Equation;
  readonly operands: readonly Element[];
  readonly negated: boolean;
}

/**
 * An operation on numbers without the signs of operands, where the result is the same to the bit: `a + (-b)` is `a - b`, a
 * product's sign is its factors'. A negative whose uses all take the sign in is not computed: engines leave out what
 * nobody reads. `(-a) - b` stays as it is, as `-(a + b)` is -0 where the sum is 0.
 */
export function withoutSigns(equation: Equation, operands: readonly Element[]): SignedOperation {
  const [a, b] = operands;
  const as = (primitive: Equation["primitive"], ...rest: readonly Element[]): SignedOperation => ({
    equation: primitive === equation.primitive ? equation : { ...equation, primitive },
    operands: rest,
    negated: false,
  });
  switch (equation.outputs[0].dtype.startsWith("float") && equation.primitive.name) {
    case "add":
      if (b.negated !== undefined) return as(subP, a, b.negated);
      if (a.negated !== undefined) return as(subP, b, a.negated);
      break;
    case "sub":
      if (b.negated !== undefined) return as(addP, a, b.negated);
      break;
    case "mul":
    case "div": {
      const negated = (a.negated === undefined) !== (b.negated === undefined);
      return { ...as(equation.primitive, a.negated ?? a, b.negated ?? b), negated };
    }
  }
  return as(equation.primitive, ...operands);
}

/** `-x` as an operation on x. */
export function negation({ outputs }: Equation): Equation {
  return { primitive: negP, params: null, inputs: outputs, outputs };
}
