//! The evaluator module: a ruleset and users in, codes out.

use std::cell::Cell;

use flagpost_engine::{Evaluator as Engine, FlagId, Ruleset};
use wasm_bindgen::prelude::*;

use crate::host::JsHost;
use crate::packed;

const FAULT_NONE: u32 = 0;
const FAULT_DAMAGED: u32 = 1;
const FAULT_UNKNOWN: u32 = 2;

thread_local! {
    /// See [`Evaluator::fault`].
    static FAULT: Cell<u32> = const { Cell::new(FAULT_NONE) };
}

/// In the place of a count of flags: all of them.
const ALL: u32 = u32::MAX;

/// The code for a request that cannot be read.
const MALFORMED: i32 = i32::MIN;

/// A ruleset that stays in the module's memory until it is freed, with room for one request.
#[wasm_bindgen]
pub struct Evaluator {
    ruleset: Ruleset,
    slots: usize,
    group_types: usize,
    engine: Engine,
    room: Vec<u8>,
    asked: Vec<FlagId>,
    codes: Vec<i32>,
}

#[wasm_bindgen]
impl Evaluator {
    /// Takes bytes that end with the hash of all before it, in which a ruleset begins at `start`: see
    /// [`Ruleset::open`]. Each evaluation context is its length in bytes as `u32`, then UTF-8; without any every
    /// flag is kept. Nothing (`undefined`) where [`fault`](Evaluator::fault) tells why.
    pub fn load(bytes: Vec<u8>, start: usize, evaluation_contexts: &[u8]) -> Option<Evaluator> {
        let opened = Ruleset::open(bytes, start, &crate::texts(evaluation_contexts));
        FAULT.set(match &opened {
            Ok(_) => FAULT_NONE,
            Err(error) if error.is_unknown_ruleset() => FAULT_UNKNOWN,
            Err(_) => FAULT_DAMAGED,
        });
        let ruleset = opened.ok()?;
        Some(Evaluator {
            slots: ruleset.slot_count(),
            group_types: ruleset.group_type_count(),
            ruleset,
            engine: Engine::default(),
            room: Vec::new(),
            asked: Vec::new(),
            codes: Vec::new(),
        })
    }

    /// What the last [`load`](Evaluator::load) found: 0 nothing wrong, 1 damaged bytes, 2 a ruleset that is none for
    /// this build, or for these evaluation contexts, so that the definitions are to be compiled.
    #[must_use]
    pub fn fault() -> u32 {
        FAULT.get()
    }

    /// The flags outside the evaluation contexts, rising.
    #[must_use]
    pub fn left_out(&self) -> Vec<u32> {
        self.ruleset.left_out().map(|FlagId(id)| id).collect()
    }

    /// The address of so many bytes for requests, until the next call of this.
    pub fn room(&mut self, bytes: usize) -> usize {
        // What was there goes before the new is made.
        self.room = Vec::new();
        self.room.resize(bytes, 0);
        self.room.as_ptr() as usize
    }

    /// The code of one flag for the user in the first `length` bytes of the room, packed as [`packed`] says;
    /// nothing is added to it. `now_ms` is in milliseconds since the epoch. See [`flagpost_engine::Code`]; -2^31
    /// when the user is not packed for this ruleset.
    pub fn flag(&mut self, id: u32, now_ms: f64, length: usize) -> i32 {
        if self.read_user(0, length).is_none() {
            return MALFORMED;
        }
        self.engine.code(&self.ruleset, FlagId(id), &JsHost, now_ms).0
    }

    /// The address of the codes, of 32 bits each, of the flags that the first `length` bytes of the room name:
    /// their number and theirs, or ffffffff for all, and then the user. 0 when that cannot be read.
    pub fn flags(&mut self, now_ms: f64, length: usize) -> usize {
        let Some((count, start)) = self.read_asked(length) else { return 0 };
        if self.read_user(start, length).is_none() {
            return 0;
        }
        let Evaluator { asked, .. } = self;
        let asked =
            (0..count).map(|place| asked.get(place as usize).copied().unwrap_or(FlagId(place)));
        self.codes.clear();
        self.engine.codes(&self.ruleset, asked, &JsHost, now_ms, &mut self.codes);
        self.codes.as_ptr() as usize
    }

    /// Reads the user between two places of the room.
    fn read_user(&mut self, start: usize, end: usize) -> Option<()> {
        let request = self.room.get(..end)?;
        let context = self.engine.context();
        context.clear(self.slots, self.group_types);
        packed::decode(request, start, context).ok()
    }

    /// Reads which flags are asked for, if not all; gives their number and where the user begins.
    fn read_asked(&mut self, end: usize) -> Option<(u32, usize)> {
        let (words, _) = self.room.get(..end)?.as_chunks::<4>();
        let (count, rest) = words.split_first()?;
        let count = u32::from_le_bytes(*count);
        self.asked.clear();
        if count == ALL {
            return Some((self.ruleset.len() as u32, 4));
        }
        let ids = rest.get(..count as usize)?;
        self.asked.extend(ids.iter().map(|id| FlagId(u32::from_le_bytes(*id))));
        Some((count, 4 + 4 * ids.len()))
    }
}
