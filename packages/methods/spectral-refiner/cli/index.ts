import { refineFlow } from "./refine-flow.js";
import { trainFlowOperator } from "./train-flow-operator.js";

/** The commands of this package. */
export const commands = [trainFlowOperator, refineFlow];
