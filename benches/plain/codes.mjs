/** What a flag's code means: an index into its values, or a reason for none. */
export const HOLDOUT = 2;
export const FIRST_VARIANT = 3;
/** Below zero are the reasons; where several meet, the strongest is the greatest. */
export const CONTINUITY = -1;
export const UNSUPPORTED = -2;
export const DEPENDENCY = -3;
export const MISSING = -4;
/** posthog-node's names, by the number behind the minus. */
export const REASONS = ["", "experience_continuity", "unsupported_definition", "unresolved_dependency", "missing_context"];
