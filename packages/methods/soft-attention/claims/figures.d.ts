/** Three significant digits, for sentences. */
export declare function figure(value: number): string;
/** The mean of some numbers. */
export declare function meanOf(values: readonly number[]): number;
/** Least-squares slope of `log y` over `log x`: the power with which y grows. */
export declare function growth(x: readonly number[], y: readonly number[]): number;
