"""Fits the polynomials of the elementwise maps and prints assembly/coefficients.ts.

Every polynomial is a Chebyshev fit (mpmath.chebyfit) of the smooth factor that is left after the argument
reduction named beside it; the degree is the smallest that keeps the fit below the rounding of the format.

    python3 assembly/make_coefficients.py > assembly/coefficients.ts
"""

import numpy as np
from mpmath import atan, atanh, chebyfit, cos, exp, inf, log, mp, mpf, pi, sin, sqrt  # noqa: F401

mp.dps = 60


def exp_tail(r):
    """(e^r - 1 - r) / r^2"""
    if abs(r) < mpf("1e-12"):
        return mpf(1) / 2 + r / 6
    return (exp(r) - 1 - r) / r**2


def log_tail(z):
    """(2 atanh(s) / s - 2) / z with z = s^2"""
    if z < mpf("1e-20"):
        return mpf(2) / 3 + z * 2 / 5
    s = sqrt(z)
    return (2 * atanh(s) / s - 2) / z


def sin_tail(z):
    """(sin(r) / r - 1) / z with z = r^2"""
    if z < mpf("1e-20"):
        return -mpf(1) / 6 + z / 120
    r = sqrt(z)
    return (sin(r) / r - 1) / z


def cos_tail(z):
    """(cos(r) - 1 + z / 2) / z^2 with z = r^2"""
    if z < mpf("1e-16"):
        return mpf(1) / 24 - z / 720
    return (cos(sqrt(z)) - 1 + z / 2) / z**2


TABLES = [
    # name, function, interval, degree for float64, degree for float32
    ("EXP", exp_tail, (-log(2) / 2 - mpf("1e-4"), log(2) / 2 + mpf("1e-4")), 9, 4),
    ("EXP_NEAR", exp_tail, (-log(2) / 512 - mpf("1e-6"), log(2) / 512 + mpf("1e-6")), 2, None),
    ("LOG", log_tail, (mpf(0), mpf("0.02945")), 6, 2),
    ("SIN", sin_tail, (mpf(0), mpf("0.6170")), 5, 2),
    ("COS", cos_tail, (mpf(0), mpf("0.6170")), 5, 2),
]


def truncated(value, bits):
    """`value` rounded towards zero to `bits` significant bits."""
    exponent = int(mp.floor(mp.log(value, 2))) + 1
    scale = mpf(2) ** (bits - exponent)
    return mp.floor(value * scale) / scale


def literal(value, wide):
    number = np.float64(str(value)) if wide else np.float32(str(value))
    return repr(float(number)) if wide else str(number)


def table(name, values, wide):
    suffix, kind = ("64", "f64") if wide else ("32", "f32")
    numbers = ",\n".join(f"  {literal(value, wide)}" for value in values)
    print(f"export const {name}_{suffix}: usize = memory.data<{kind}>([\n{numbers},\n]);")


def split(name, value, bits, wide):
    parts, rest = [], value
    for width in bits:
        part = truncated(rest, width)
        parts.append(part)
        rest -= part
    parts.append(rest)
    table(name, parts, wide)


print("// Written by make_coefficients.py: change the script, not this file. Each table lists ascending powers.")
for wide in (True, False):
    print()
    split("LN2", log(2), [40] if wide else [14], wide)
    split("HALF_PI", pi / 2, [33, 33] if wide else [12, 12], wide)
    if wide:
        split("LN2_BY_256", log(2) / 256, [34], wide)
        print("// Bits of 2^(j/256), less j at the place where n = 256 k + j is shifted to bring k into the exponent")
        rows = [int(np.float64(str(mpf(2) ** (mpf(j) / 256))).view(np.int64)) - (j << 44) for j in range(256)]
        print("export const ROOTS_64: usize = memory.data<i64>([")
        print("\n".join(f"  {row:#x}," for row in rows))
        print("]);")
    for name, function, interval, degree64, degree32 in TABLES:
        degree = degree64 if wide else degree32
        if degree is None:
            continue
        coefficients, error = chebyfit(function, interval, degree + 1, error=True)
        print(f"// {function.__doc__}; largest error of the fit {mp.nstr(error, 2)}")
        table(name, list(reversed(coefficients)), wide)
