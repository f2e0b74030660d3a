import { fitProximal, lpn, pnpAdmm, pnpGradientDescent, regularizer } from "../src/index.js";

/** What the claims are about; tests put a baseline or a broken variant in its place. */
export interface Method {
  readonly lpn: typeof lpn;
  readonly fitProximal: typeof fitProximal;
  readonly regularizer: typeof regularizer;
  readonly pnpAdmm: typeof pnpAdmm;
  readonly pnpGradientDescent: typeof pnpGradientDescent;
}

/** The method as it is. */
export const method: Method = { lpn, fitProximal, regularizer, pnpAdmm, pnpGradientDescent };
