/** The mean. */
export function meanOf(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

/** A figure with three digits behind the point. */
export function figure(value: number): string {
  return value.toFixed(3);
}
