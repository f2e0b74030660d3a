/** Parameters of an operation as text in which every number can be told apart, those that JSON drops too. */
export function paramsText(params: unknown, replace: (value: unknown) => unknown = (value) => value): string {
  if (typeof params !== "object" || params === null) return params === undefined ? "" : String(params);
  return JSON.stringify(params, (_, value) =>
    typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0))
      ? `number ${Object.is(value, -0) ? "-0" : value}`
      : replace(value),
  );
}
