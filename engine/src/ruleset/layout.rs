//! How a compiled ruleset lies in bytes: the section `CODE` of a snapshot, and what the compiler module
//! gives for plain definitions.
//!
//! Little-endian; all but texts is made of *words* (`u32`). A double is two words, the low one first. The
//! section begins with [`HEADER`] words:
//!
//! ```text
//! word  0  VERSION            a reader that does not know it compiles the definitions instead
//!       1  bits               CONTEXTS_NEED_DEFINITIONS, ORDER_SHOWS
//!       2  length             of the section in bytes, up to the end of the texts
//!       3  flags              those that have keys
//!       4  hidden             flags behind them that only dependencies know: always false
//!       5… the tables, (offset in bytes from the section's start, count) each, in this order:
//!          5 flags        records of FLAG words: the keyed ones, then the hidden ones
//!          7 order        a word per keyed flag: the flags' numbers by rising key (byte order)
//!          9 slots        text references: property keys; a user's values travel by their index
//!         11 group types  text references
//!         13 strings      text references: names of variants and holdouts, or JSON (see codes)
//!         15 payloads     (text reference to JSON, 1 if truthy) = 3 words each
//!         17 predicates   records of PREDICATE words
//!         19 cohorts      records of COHORT words
//!         21 problems     text references: what was wrong with the definitions, for people
//!         23 pool         words: lists and operands; word 0 is 0, the empty list
//!         25 texts        bytes: WTF-8 (UTF-8 in which a lone surrogate stands as three bytes)
//! ```
//!
//! The tables lie in that order, each right behind the one before. A *text reference* is two words: offset
//! in the texts, length in bytes. A *list* is the pool index of a word with the number of entries, which
//! follow it; [`MALFORMED`] in its place marks what makes the reference throw.
//!
//! ```text
//! flag        0,1 key: text reference
//!             2   bits: FLAG_*; the definition's reason from bit 4 on (0 none, else 1 + its place in
//!                 Reason::ALL)
//!             3   fixed flags: the code; others: the slot or group type of the subject
//!             4   list of conditions (or MALFORMED)
//!             5   list of variants (or MALFORMED)
//!             6   holdout: pool index of [share f64, string or NONE]; 0: none
//!             7   list of payloads: (1 for true or 2 + string, payload or NONE where the reference throws)
//!             8   list of the slots that the flag reads, itself or through others (or ALL_SLOTS)
//!             9   list of the group types that it reads
//!            10   list of its evaluation contexts, text references; 0: it is in every context
//! condition   0 bits: CONDITION_*, 1 group type, 2,3 share f64, 4 string of the override, 5 list of filters
//!             (or MALFORMED)
//! filter      0 FILTER_* and NOT_IN, NEGATED, 1 what it refers to: predicate, cohort (or NONE), pool index
//!             of a dependency (0: unsupported)
//! dependency  target kind, flag, EXPECTED_*, string, number of flags in the chain, the chain
//! variant     0,1 upper bound f64, 2 KEY_*, 3 string
//! cohort      0 COHORT_*, 1 list of filters
//! predicate   0 slot, 1 operation: OP_* | NOT | support << 6 | detail << 8, 2 and 3 operands (see
//!             `operator`)
//! ```
//!
//! A *code* is what evaluating a flag gives, as an `i32`: 0 false, 1 true, 2 + n the variant strings[n], -1 to
//! -4 unresolved for a reason in the order of `Reason::ALL`, -5 - n what strings[n] is the JSON of.

#![cfg_attr(
    not(feature = "compile"),
    allow(dead_code, reason = "only the compiler writes all of it")
)]

/// The layout that this build reads and writes.
pub(crate) const VERSION: u32 = 1;

pub(crate) const CONTEXTS_NEED_DEFINITIONS: u32 = 1;
pub(crate) const ORDER_SHOWS: u32 = 2;

pub(crate) const HEADER: usize = 27;
pub(crate) const FLAG: usize = 11;
pub(crate) const CONDITION: usize = 6;
pub(crate) const FILTER: usize = 2;
pub(crate) const VARIANT: usize = 4;
pub(crate) const PREDICATE: usize = 4;
pub(crate) const COHORT: usize = 2;
/// Words of a dependency before its chain.
pub(crate) const DEPENDENCY: usize = 5;

/// In the place of a list: the reference throws.
pub(crate) const MALFORMED: u32 = u32::MAX;
/// In the place of an index: there is none.
pub(crate) const NONE: u32 = u32::MAX;
/// In the place of a list of slots: too many to list.
pub(crate) const ALL_SLOTS: u32 = u32::MAX;

pub(crate) const FLAG_SUBJECT: u32 = 3;
pub(crate) const SUBJECT_PERSON: u32 = 0;
pub(crate) const SUBJECT_DEVICE: u32 = 1;
pub(crate) const SUBJECT_GROUP: u32 = 2;
/// Every user gets the same: the code stands in the record.
pub(crate) const FLAG_FIXED: u32 = 1 << 2;
pub(crate) const FLAG_EARLY_EXIT: u32 = 1 << 3;
pub(crate) const FLAG_REASON: u32 = 4;
/// Some dependency's chain names the flag.
pub(crate) const FLAG_CHAINED: u32 = 1 << 8;
/// Looking up some payload makes the reference throw.
pub(crate) const FLAG_PAYLOAD_THROWS: u32 = 1 << 9;

pub(crate) const CONDITION_AGGREGATION: u32 = 3;
pub(crate) const AGGREGATION_INHERIT: u32 = 0;
pub(crate) const AGGREGATION_GROUP: u32 = 1;
pub(crate) const AGGREGATION_SKIP: u32 = 2;
pub(crate) const AGGREGATION_MALFORMED: u32 = 3;
pub(crate) const CONDITION_ROLLOUT: u32 = 2;
pub(crate) const ROLLOUT_ALL: u32 = 0;
pub(crate) const ROLLOUT_SHARE: u32 = 1;
pub(crate) const ROLLOUT_NOBODY: u32 = 2;
pub(crate) const ROLLOUT_MALFORMED: u32 = 3;
pub(crate) const CONDITION_OVERRIDE: u32 = 4;
pub(crate) const OVERRIDE_NONE: u32 = 0;
pub(crate) const OVERRIDE_MALFORMED: u32 = 4;

/// What a variant or an override makes of the flag; of overrides, [`OVERRIDE_NONE`] and
/// [`OVERRIDE_MALFORMED`] stand beside them.
pub(crate) const KEY_TEXT: u32 = 1;
pub(crate) const KEY_TRUE: u32 = 2;
pub(crate) const KEY_JSON: u32 = 3;

pub(crate) const FILTER_KIND: u32 = 7;
pub(crate) const FILTER_PROPERTY: u32 = 0;
pub(crate) const FILTER_COHORT: u32 = 1;
pub(crate) const FILTER_FLAG: u32 = 2;
pub(crate) const FILTER_GROUP: u32 = 3;
pub(crate) const FILTER_THROWS: u32 = 4;
pub(crate) const FILTER_THROWS_THROUGH: u32 = 5;
pub(crate) const NOT_IN: u32 = 1 << 3;
pub(crate) const NEGATED: u32 = 1 << 4;

pub(crate) const TARGET_CHAINED: u32 = 0;
pub(crate) const TARGET_LOOSE: u32 = 1;
pub(crate) const TARGET_UNKNOWN: u32 = 2;

pub(crate) const EXPECTED_FALSE: u32 = 0;
pub(crate) const EXPECTED_TRUE: u32 = 1;
pub(crate) const EXPECTED_VARIANT: u32 = 2;
pub(crate) const EXPECTED_NEVER: u32 = 3;

pub(crate) const COHORT_EVERYBODY: u32 = 0;
pub(crate) const COHORT_UNSUPPORTED: u32 = 1;
pub(crate) const COHORT_THROWS: u32 = 2;
pub(crate) const COHORT_ALL: u32 = 3;
pub(crate) const COHORT_ANY: u32 = 4;
