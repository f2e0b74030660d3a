import { requirePositive, ValueError } from "@offprint/tensor-core";

/** Standard deviation of noise, or the ends of a range of them. */
export type NoiseLevel = number | readonly [low: number, high: number];

/** @internal The least and the greatest standard deviation. @throws ValueError */
export function endsOf(owner: string, sigma: NoiseLevel): readonly [low: number, high: number] {
  if (Array.isArray(sigma) && sigma.length !== 2) {
    throw new ValueError(`${owner}: sigma is [${sigma}]; give a number or [low, high]`);
  }
  const [low, high] = Array.isArray(sigma) ? (sigma as [number, number]) : [sigma as number, sigma as number];
  requirePositive(owner, "sigma", low);
  requirePositive(owner, "sigma", high);
  if (high < low) throw new ValueError(`${owner}: sigma is [${low}, ${high}]; give the lower end first`);
  return [low, high];
}
