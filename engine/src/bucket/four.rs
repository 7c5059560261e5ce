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
        let blocks = messages.each_ref().map(Message::blocks);
        let state = compress(START.map(Lanes::all), blocks.map(|[first, _]| first), schedule);
        let mut positions = positions_of(state);
        if messages.iter().any(Message::is_long) {
            let state = compress(state, blocks.map(|[_, second]| second), schedule);
            let after = positions_of(state);
            for ((message, position), after) in messages.iter().zip(&mut positions).zip(after) {
                if message.is_long() {
                    *position = after;
                }
            }
        }
        positions
    }
}

fn positions_of(state: State<Lanes>) -> [f64; 4] {
    let [[a0, a1, a2, a3], [b0, b1, b2, b3], ..] = state.map(Lanes::words);
    [(a0, b0), (a1, b1), (a2, b2), (a3, b3)].map(|(first, second)| position_of(first, second))
}

/// The states after one more block of each message.
///
/// The schedule lies in memory and loops run over it: four lanes want more registers than there are,
/// so that code without loops is three times as long and no faster.
#[inline(never)]
fn compress(
    state: State<Lanes>,
    [a, b, c, d]: [&[u8; BLOCK]; 4],
    schedule: &mut [Lanes; WORDS],
) -> State<Lanes> {
    let columns = rows(a).zip(rows(b)).zip(rows(c)).zip(rows(d));
    for ((((a, b), c), d), words) in columns.zip(schedule.as_chunks_mut().0) {
        *words = Lanes::transpose([a, b, c, d]);
    }

    let mut steps = Cell::from_mut(schedule).as_array_of_cells().array_windows().step_by(5);
    let [k0, k1, k2, k3] = K;
    let mut now = state;
    for step in steps.by_ref().take(4) {
        now = five_rounds(choose, k0, now, advance(step));
    }
    for step in steps.by_ref().take(4) {
        now = five_rounds(parity, k1, now, advance(step));
    }
    for step in steps.by_ref().take(4) {
        now = five_rounds(majority, k2, now, advance(step));
    }
    for step in steps.take(4) {
        now = five_rounds(parity, k3, now, advance(step));
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
