export { type CompareOptions, compare, type Measured, type PeerResult } from "./compare.js";
export { type Contender, contender, type Subject } from "./contender.js";
export { type PythonPeers, python } from "./python.js";
export { results, table } from "./report.js";
