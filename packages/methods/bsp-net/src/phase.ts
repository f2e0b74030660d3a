import { ValueError } from "@offprint/tensor-core";

/**
 * Phase of training: 0 continuous; 1 hard; 2 hard with the overlap loss; 3 soft; 4 soft with the overlap loss.
 * @see section 3.2 of the paper
 */
export type Phase = 0 | 1 | 2 | 3 | 4;

/** What a phase does. */
export interface PhaseRule {
  /** Real connections and a clipped weighted sum of convexes, for everything to have gradients. */
  readonly continuous: boolean;
  /** Connections are 0 or 1 by the threshold, and have no gradient. */
  readonly binary: boolean;
  /** Connections are drawn to 0 and 1 by the loss. */
  readonly pulled: boolean;
  /** Points inside several convexes are pushed out of them. */
  readonly overlap: boolean;
}

/** The phases. */
export const phaseRules: Readonly<Record<Phase, PhaseRule>> = {
  0: { continuous: true, binary: false, pulled: false, overlap: false },
  1: { continuous: false, binary: true, pulled: false, overlap: false },
  2: { continuous: false, binary: true, pulled: false, overlap: true },
  3: { continuous: false, binary: false, pulled: true, overlap: false },
  4: { continuous: false, binary: false, pulled: true, overlap: true },
};

/** Throws unless it is a phase. */
export function requirePhase(owner: string, phase: number): PhaseRule {
  if (!Object.hasOwn(phaseRules, phase)) {
    throw new ValueError(`${owner}: phase is ${phase}; it must be 0, 1, 2, 3 or 4`);
  }
  return phaseRules[phase as Phase];
}

/**
 * Throws unless one phase may follow another: a phase may go on, and the discrete ones follow phase 0.
 * @throws ValueError for a jump such as 1 to 0.
 */
export function requireNextPhase(owner: string, before: Phase, next: Phase): void {
  requirePhase(owner, next);
  if (before === next || before === 0) return;
  throw new ValueError(
    `${owner}: phase ${next} cannot follow phase ${before}; legal are 0 to 1, 2, 3 or 4, and a phase that goes on`,
  );
}
