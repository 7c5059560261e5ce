//! Four messages hashed at once.

use std::cell::Cell;

use super::lanes::Lanes;
use super::message::Message;
use super::position_of;
use super::sha1::{
    BLOCK, K, START, State, Word, choose, five_rounds, majority, parity, scheduled, sum,
};

/// The words of a schedule, and those that the last rounds compute ahead for nobody.
const WORDS: usize = 80 + 16;

/// Four messages, and room to hash them. To be kept: clearing the room takes its time.
pub(crate) struct Four {
    pub(crate) messages: [Message; 4],
    schedule: [Lanes; WORDS],
}

impl Four {
    pub(crate) fn new() -> Self {
        Four { messages: [Message::EMPTY; 4], schedule: [Lanes::all(0); WORDS] }
    }

    /// The [`position`](super::position) of each message. If one of them has a second block, the
    /// others wait for it.
    pub(crate) fn positions(&mut self) -> [f64; 4] {
        let Four { messages, schedule } = self;
        let state = compress(START.map(Lanes::all), messages, false, schedule);
        let [mut first, mut second, ..] = state.map(Lanes::words);
        if messages.iter().any(Message::is_long) {
            let state = compress(state, messages, true, schedule);
            let [first_after, second_after, ..] = state.map(Lanes::words);
            let digests = first.iter_mut().zip(&mut second);
            let afters = first_after.into_iter().zip(second_after);
            for ((message, (first, second)), after) in messages.iter().zip(digests).zip(afters) {
                if message.is_long() {
                    (*first, *second) = after;
                }
            }
        }
        let mut positions = [0.0; 4];
        for ((position, first), second) in positions.iter_mut().zip(first).zip(second) {
            *position = position_of(first, second);
        }
        positions
    }
}

/// The states after one more block of each message, the first or the second.
///
/// The schedule lies in memory and loops run over it: four lanes want more registers than there are,
/// so that code without loops is three times as long and no faster.
#[inline(never)]
fn compress(
    state: State<Lanes>,
    [a, b, c, d]: &[Message; 4],
    second: bool,
    schedule: &mut [Lanes; WORDS],
) -> State<Lanes> {
    let rows = |message| rows(Message::block(message, second));
    let columns = rows(a).zip(rows(b)).zip(rows(c)).zip(rows(d));
    for ((((a, b), c), d), words) in columns.zip(schedule.as_chunks_mut().0) {
        *words = Lanes::transpose([a, b, c, d]);
    }

    let mut steps = Cell::from_mut(schedule).as_array_of_cells().array_windows().step_by(5);
    let mut now = state;
    for (quarter, constant) in K.into_iter().enumerate() {
        for step in steps.by_ref().take(4) {
            let words = advance(step);
            now = match quarter {
                0 => five_rounds(choose, constant, now, words),
                2 => five_rounds(majority, constant, now, words),
                _ => five_rounds(parity, constant, now, words),
            };
        }
    }
    sum(state, now)
}

/// The rows of a block, of four words each.
#[inline(always)]
fn rows(block: &[u8; BLOCK]) -> impl Iterator<Item = Lanes> {
    block.as_chunks::<16>().0.iter().copied().map(Lanes::of_bytes)
}

/// The five words of a step, after those 16 places further are scheduled.
#[inline(always)]
fn advance(step: &[Cell<Lanes>; 21]) -> [Lanes; 5] {
    let [v, w, x, y, z, ..] = step;
    let [_, _, v14, w14, x14, y14, z14, _, v8, w8, x8, y8, z8, v3, w3, x3, next @ ..] = step;
    let [next_v, next_w, next_x, next_y, next_z] = next;
    next_v.set(scheduled(v.get(), v14.get(), v8.get(), v3.get()));
    next_w.set(scheduled(w.get(), w14.get(), w8.get(), w3.get()));
    next_x.set(scheduled(x.get(), x14.get(), x8.get(), x3.get()));
    next_y.set(scheduled(y.get(), y14.get(), y8.get(), next_v.get()));
    next_z.set(scheduled(z.get(), z14.get(), z8.get(), next_w.get()));
    [v.get(), w.get(), x.get(), y.get(), z.get()]
}
