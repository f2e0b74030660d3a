/** Three significant digits, for sentences. */
export function figure(value) {
    return Math.abs(value) >= 1e-3 && Math.abs(value) < 1e4
        ? String(Number(value.toPrecision(3)))
        : value.toExponential(1);
}
/** The mean of some numbers. */
export function meanOf(values) {
    return values.reduce((a, b) => a + b, 0) / values.length;
}
/** Least-squares slope of `log y` over `log x`: the power with which y grows. */
export function growth(x, y) {
    const [u, v] = [x.map(Math.log), y.map(Math.log)];
    const [meanU, meanV] = [meanOf(u), meanOf(v)];
    const covariance = u.reduce((total, each, i) => total + (each - meanU) * (v[i] - meanV), 0);
    return covariance / u.reduce((total, each) => total + (each - meanU) ** 2, 0);
}
