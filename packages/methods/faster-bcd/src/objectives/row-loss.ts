/** A convex loss of each row i of a linear model, as a function of z_i = a_i^T x. */
export interface RowLoss {
  /** The loss of row i. */
  value(i: number, z: number): number;
  /** Its derivative. */
  slope(i: number, z: number): number;
  /** Its second derivative, >= 0. */
  curvature(i: number, z: number): number;
  /** The largest second derivative there can be. */
  readonly curvatureBound: number;
  /** value(i, z + dz) - value(i, z), where it can be had without cancellation. */
  difference?(i: number, z: number, dz: number): number;
  /** Whether the second derivative is `curvatureBound` everywhere. Default false. */
  readonly quadratic?: boolean;
}
