import {
  gc,
  loadBound,
  makeScheme,
  mSgc,
  place,
  selectParameters,
  simulate,
  srSgc,
  trainOnCluster,
  uncoded,
} from "../src/index.js";

/** What the claims are about; tests put a baseline or a broken variant in its place. */
export interface Method {
  readonly gc: typeof gc;
  readonly loadBound: typeof loadBound;
  readonly makeScheme: typeof makeScheme;
  readonly mSgc: typeof mSgc;
  readonly place: typeof place;
  readonly selectParameters: typeof selectParameters;
  readonly simulate: typeof simulate;
  readonly srSgc: typeof srSgc;
  readonly trainOnCluster: typeof trainOnCluster;
  readonly uncoded: typeof uncoded;
}

/** The method as it is. */
export const published: Method = {
  gc,
  loadBound,
  makeScheme,
  mSgc,
  place,
  selectParameters,
  simulate,
  srSgc,
  trainOnCluster,
  uncoded,
};
