//! What may take the place of a stored snapshot, and how it is put together: the rules that whoever writes
//! snapshots follows, the refresher and `flagpost/refresh` alike. Asking, storing and telling the time are theirs.

mod gate;
mod listed;
mod order;
mod sealed;
mod words;

pub use gate::{Incoming, Policy, Refusal, Refused, Spelling, Stored, gate};
pub use order::order;
pub use sealed::{is_of_this_version, resealed, sealed};
pub use words::{acts, count, printable};

/// What posthog-node and @posthog/convex put in the place of definitions when they forget them.
pub const NO_FLAGS: &[u8] = br#"{"flags":[],"group_type_mapping":{},"cohorts":{}}"#;
