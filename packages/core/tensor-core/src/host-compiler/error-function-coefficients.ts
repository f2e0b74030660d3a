// Written by test/fixtures/make_error_function.py (60 digits) and formatted; change the script, not this file.

/** The numbers of the error function of one type; polynomials have ascending coefficients. */
export interface ErrorFunctionNumbers {
  /** erf(x) / x in z = x^2, for |x| up to 1. */
  readonly head: readonly number[];
  readonly middle: number;
  /** (x + middle) e^(x^2) erfc(x) in t = (x - middle) / (x + middle), up to where erfc vanishes. */
  readonly tail: readonly number[];
  /** Beyond this erfc rounds to 0. */
  readonly vanishes: number;
}

export const errorFunctionNumbers: Readonly<Record<"f64x2" | "f32x4", ErrorFunctionNumbers>> = {
  f64x2: {
    head: [
      1.1283791670955126, -0.37612638903183543, 0.11283791670945006, -0.02686617064323777, 0.0052239776071164225,
      -0.0008548325975389692, 0.00012055294904839707, -1.492473690741966e-5, 1.6447424703317362e-6,
      -1.6208483801871705e-7, 1.3720064546777686e-8, -7.795898827002142e-10,
    ],
    middle: 3,
    tail: [
      1.0740069070883398, -0.8833944531698824, 0.590228357104083, -0.3104672619006925, 0.11952776128823016,
      -0.026827234620708188, -0.0012124166452741282, 0.0030340619476846267, -0.0005483095164509065,
      -0.00027677741838044457, 0.00010756051640067533, 3.0396057335047607e-5, -1.7467333547813197e-5,
      -4.742579892359551e-6, 2.7588670015728785e-6, 9.853214585023628e-7, -4.004072551829943e-7, -2.1594507373288982e-7,
      4.200085799541721e-8, 3.701420905539599e-8, -1.1666213488979233e-9, -2.9102939320322494e-9,
    ],
    vanishes: 27.2261,
  },
  f32x4: {
    head: [1.1283791, -0.37612343, 0.11280317, -0.026715055, 0.004921762, -0.000564806],
    middle: 2,
    tail: [
      1.0215827, -0.68716085, 0.27946925, -0.03643692, -0.021481572, 0.0064449534, 0.0029789153, -0.0007645979,
      -0.00046680274,
    ],
    vanishes: 10.0542,
  },
};
