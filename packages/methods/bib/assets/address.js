/** @param {string} name */
export const assetAddress = (name) => new URL(name, import.meta.url);
