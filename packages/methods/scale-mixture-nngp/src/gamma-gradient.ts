import { special, tensor } from "@offprint/tensor-core";

/**
 * How a gamma number x of unit rate moves with its shape a at a fixed probability: dx/da = -(dP/da) / (dP/dx), by the
 * power series of P(a, x), whose terms r_k (in units of the density) have the derivatives r_k (log x - psi(a + k + 1)).
 *
 * @see https://arxiv.org/abs/1805.08498 Figurnov, Mohamed, Mnih: Implicit reparameterization gradients
 */
export function gammaByShape(shape: number, x: Float64Array): Float64Array {
  const digamma = special.digamma(tensor(shape, { dtype: "float64" })).item() + 1 / shape;
  return x.map((value) => {
    const log = Math.log(value);
    let term = value / shape;
    let psi = digamma;
    let total = term * (log - psi);
    let largest = term;
    for (let k = 1; term > 1e-17 * largest; k++) {
      term *= value / (shape + k);
      psi += 1 / (shape + k);
      total += term * (log - psi);
      largest = Math.max(largest, term);
    }
    return -total;
  });
}
