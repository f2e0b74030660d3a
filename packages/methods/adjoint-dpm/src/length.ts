/** @internal The Euclidean length of numbers of any size: an image has more of them than a call takes arguments. */
export function lengthOf(values: ArrayLike<number>): number {
  let [largest, sum] = [0, 0];
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]));
  if (largest === 0) return 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] / largest) ** 2;
  return largest * Math.sqrt(sum);
}
