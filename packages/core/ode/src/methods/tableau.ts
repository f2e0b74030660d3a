/**
 * An explicit Runge-Kutta method as numbers. Stage i is `k_i = f(t + c_i h, y + h sum_j a_ij k_j)`, the step
 * `y + h sum_i b_i k_i`; the rate at its end is one stage more, the last, and the next step's first.
 */
export interface Tableau {
  /** What the method is called. */
  readonly name: string;
  /** Order of the solution. */
  readonly order: number;
  /** The nodes `c` of all stages but the last; the first is 0. */
  readonly nodes: readonly number[];
  /** The rows of `a` of the second and later stages, each as long as its number of earlier stages. */
  readonly stages: readonly (readonly number[])[];
  /** The weights `b` of all stages but the last. */
  readonly weights: readonly number[];
  /** Weights of the error estimate, of all stages, the last among them. None: steps of a fixed size only. */
  readonly error?: readonly number[];
  /** Order of the error estimate plus one: by what the step size follows the error. Default `order`. */
  readonly errorOrder?: number;
  /**
   * Continuous extension: for every stage, the last among them, the coefficients of `theta, theta^2, ...` of its weight
   * at `t + theta h`. Default: the cubic through values and rates at both ends.
   */
  readonly dense?: readonly (readonly number[])[];
  /**
   * A stage at the end of the step, counted from 0: with the last one it gives an estimate of the largest eigenvalue,
   * `|k_last - k_i| / |y_next - g_i|`.
   */
  readonly stiffnessStage?: number;
  /** Length of the interval of stability on the negative axis: `h |lambda|` may be so large. */
  readonly stabilitySize?: number;
}
