import { designSequencesCommand } from "./design-sequences.js";
import { trainSequenceModelCommand } from "./train-sequence-model.js";

/** What this package adds to `offprint`. */
export const commands = [designSequencesCommand, trainSequenceModelCommand];
