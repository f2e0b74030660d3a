export type { Assertion, RunOutcome, RunSubject, SubjectOptions, TestTools } from "./subject.js";
export { runConformance } from "./suite.js";
