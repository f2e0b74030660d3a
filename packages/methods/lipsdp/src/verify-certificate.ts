import { type Certificate, claimedBound } from "./certificate.js";
import { checkChain, scaledSmallest } from "./certify-chain.js";
import { proveStacked } from "./certify-stacked.js";
import { chainOf, shrunk } from "./feed-forward.js";
import { checkNetwork, type Network } from "./network.js";
import { selectOutputs } from "./select-outputs.js";
import { stackedForm } from "./stacked-form.js";

/** Outcome of {@link verifyCertificate}. */
export interface Verification {
  /** Whether every inequality was proved. */
  readonly valid: boolean;
  /** The bound that the certificate proves if it is valid. */
  readonly bound: number;
  /** Smallest eigenvalue among the inequalities, to rounding: how far they are from failing. */
  readonly minEigenvalue: number;
}

/**
 * Checks a certificate against a network without a solver, for third parties: nothing but the network and the
 * certificate's numbers is used.
 *
 * @param options.outputs the rows of the output that the certificate is about; default all
 */
export function verifyCertificate(
  network: Network,
  certificate: Certificate,
  options: { readonly outputs?: readonly number[] } = {},
): Verification {
  const checked = selectOutputs(checkNetwork(network), options.outputs);
  const { multipliers, norm, mu, delta, rho } = certificate;
  const count = checked.groups.length;
  const sizes = [multipliers.lambda, multipliers.gamma, multipliers.nu, multipliers.tau].every(
    (x) => x.length === count,
  );
  const gain =
    norm === "l2"
      ? rho !== undefined && rho >= 0
      : mu?.length === checked.inputs &&
        delta?.length === checked.outputs &&
        [...mu, ...delta].every((value) => value > 0);
  const bound = gain ? claimedBound(certificate) : Number.NaN;
  if (!sizes || !gain) return { valid: false, bound, minEigenvalue: Number.NaN };
  if (checked.kind === "feedforward") {
    const { proved, minEigenvalue } = checkChain(chainOf(shrunk(checked, norm)), certificate);
    return { valid: proved, bound, minEigenvalue };
  }
  const { proved, X } = proveStacked(stackedForm(checked), { ...certificate, eliminated: false });
  return { valid: proved, bound, minEigenvalue: scaledSmallest(X) };
}
