//! The evaluator's memory: a list of the pieces that are free, by rising address.
//!
//! An evaluator has few pieces, a dozen per ruleset, and takes none while it evaluates: going through a short list is
//! fast enough, and a third of the code that an allocator for many pieces takes.

#[cfg(target_arch = "wasm32")]
use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ptr::null_mut;

/// Pieces begin and end at multiples of this many bytes, the largest alignment that is asked for.
const GRAIN: usize = 16;

/// What a free piece begins with.
struct Free {
    /// In bytes, this included.
    size: usize,
    next: *mut Free,
}

/// The pieces that are free.
pub(crate) struct Heap {
    /// Stands before the first piece, is none itself and has no size.
    head: UnsafeCell<Free>,
    /// Whether the memory behind the module's own data has been given.
    #[cfg(target_arch = "wasm32")]
    is_started: core::cell::Cell<bool>,
}

impl Heap {
    pub(crate) const fn new() -> Self {
        Heap {
            head: UnsafeCell::new(Free { size: 0, next: null_mut() }),
            #[cfg(target_arch = "wasm32")]
            is_started: core::cell::Cell::new(false),
        }
    }

    /// The first piece that is large enough, from its start on; null if there is none.
    ///
    /// # Safety
    /// All that was given is still there, and nobody else uses what of it was not taken.
    #[inline(never)]
    unsafe fn take(&self, size: usize) -> *mut u8 {
        let size = size.next_multiple_of(GRAIN);
        let mut before = self.head.get();
        // SAFETY: the list holds only what was given, and each piece has room for a `Free`.
        unsafe {
            loop {
                let piece = (*before).next;
                if piece.is_null() {
                    return null_mut();
                }
                let Free { size: found, next } = piece.read();
                if found >= size {
                    let mut rest = next;
                    if found > size {
                        rest = piece.byte_add(size);
                        rest.write(Free { size: found - size, next });
                    }
                    (*before).next = rest;
                    return piece.cast();
                }
                before = piece;
            }
        }
    }

    /// Adds a piece to the list, joined with its neighbours.
    ///
    /// # Safety
    /// Nobody uses the piece any more. It begins at a multiple of [`GRAIN`], above the heap itself.
    #[inline(never)]
    unsafe fn give(&self, piece: *mut u8, size: usize) {
        let piece: *mut Free = piece.cast();
        let mut size = size.next_multiple_of(GRAIN);
        let mut before = self.head.get();
        // SAFETY: as in `take`.
        unsafe {
            let mut next = (*before).next;
            while !next.is_null() && next < piece {
                before = next;
                next = (*next).next;
            }
            if !next.is_null() && piece.byte_add(size) == next {
                size += (*next).size;
                next = (*next).next;
            }
            if before.byte_add((*before).size) == piece {
                (*before).size += size;
                (*before).next = next;
            } else {
                piece.write(Free { size, next });
                (*before).next = piece;
            }
        }
    }
}

// SAFETY: a module of WebAssembly without threads has one.
#[cfg(target_arch = "wasm32")]
unsafe impl Sync for Heap {}

// SAFETY: `take` gives what nobody else has; at most 16 bytes are to be aligned, see `alloc`.
#[cfg(target_arch = "wasm32")]
unsafe impl GlobalAlloc for Heap {
    #[inline(never)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        const PAGE: usize = 1 << 16;
        unsafe extern "C" {
            static __heap_base: u8;
        }
        let size = layout.size();
        if layout.align() > GRAIN {
            return null_mut();
        }
        // SAFETY: only this grows the memory, so that what has grown is nobody else's, nor is what lies behind the
        // module's data at first.
        unsafe {
            let found = self.take(size);
            if !found.is_null() {
                return found;
            }
            let pages = size.div_ceil(PAGE);
            let end = core::arch::wasm32::memory_grow::<0>(pages);
            if end == usize::MAX {
                return null_mut();
            }
            let mut start = end * PAGE;
            if !self.is_started.replace(true) {
                start = (&raw const __heap_base).addr().next_multiple_of(GRAIN);
            }
            // The end of all memory there can be has no address: the last grain is left out.
            let last = if end + pages == PAGE { GRAIN } else { 0 };
            let size_of_all = (end + pages).wrapping_mul(PAGE).wrapping_sub(start);
            self.give(core::ptr::with_exposed_provenance_mut(start), size_of_all - last);
            self.take(size)
        }
    }

    #[inline(never)]
    unsafe fn dealloc(&self, piece: *mut u8, layout: Layout) {
        // SAFETY: the caller's.
        unsafe { self.give(piece, layout.size()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: usize = 1 << 16;

    #[repr(align(16))]
    struct Memory([u8; SIZE]);

    /// The free pieces, by address from the memory's start, and their sizes.
    fn pieces(heap: &Heap, start: *mut u8) -> Vec<(usize, usize)> {
        let mut pieces = Vec::new();
        // SAFETY: nobody else has the heap.
        let mut at = unsafe { (*heap.head.get()).next };
        while !at.is_null() {
            // SAFETY: a piece of the list.
            let Free { size, next } = unsafe { at.read() };
            pieces.push((at.addr() - start.addr(), size));
            at = next;
        }
        pieces
    }

    #[test]
    fn what_is_taken_is_given_back_whole_in_any_order() {
        let mut memory = Box::new(Memory([0; SIZE]));
        let start = memory.0.as_mut_ptr();
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]] {
            let heap = Heap::new();
            // SAFETY: the memory outlives the heap, and the heap knows what of it is taken.
            unsafe {
                heap.give(start, SIZE);
                let taken = [1, 16, 100, 4000].map(|size| (heap.take(size), size));
                assert_eq!(taken.map(|(at, _)| at.addr() - start.addr()), [0, 16, 32, 144]);
                for (at, size) in order.iter().filter_map(|index| taken.get(*index)) {
                    heap.give(*at, *size);
                }
            }
            assert_eq!(pieces(&heap, start), [(0, SIZE)], "{order:?}");
        }
    }

    #[test]
    fn nothing_larger_than_a_free_piece_is_taken() {
        let mut memory = Box::new(Memory([0; SIZE]));
        let start = memory.0.as_mut_ptr();
        let heap = Heap::new();
        // SAFETY: as above.
        unsafe {
            assert!(heap.take(1).is_null());
            heap.give(start, SIZE);
            assert!(heap.take(SIZE + 1).is_null());
            assert_eq!(heap.take(SIZE), start);
            assert!(heap.take(1).is_null());
            heap.give(start.byte_add(32), 32);
            heap.give(start.byte_add(128), 64);
            assert!(heap.take(65).is_null());
            assert_eq!(heap.take(33).addr(), start.addr() + 128);
            assert_eq!(pieces(&heap, start), [(32, 32), (176, 16)]);
        }
    }

    #[test]
    fn pieces_never_overlap_and_none_is_lost() {
        let mut memory = Box::new(Memory([0; SIZE]));
        let start = memory.0.as_mut_ptr();
        let heap = Heap::new();
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = |limit: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state >> 40).unwrap_or(0) % limit
        };
        let mut taken: Vec<(*mut u8, usize, u8)> = Vec::new();
        let (mut most, mut refused) = (0, 0);
        // SAFETY: as above; every piece is written to its end before it is given back.
        unsafe {
            heap.give(start, SIZE);
            for round in 0..100_000 {
                if taken.is_empty() || next(100) < 52 {
                    let limit = if next(4) == 0 { 8000 } else { 200 };
                    let size = 1 + next(limit);
                    let at = heap.take(size);
                    if at.is_null() {
                        refused += 1;
                        let fits =
                            |(_, free): &(usize, usize)| *free >= size.next_multiple_of(GRAIN);
                        assert!(!pieces(&heap, start).iter().any(fits));
                        continue;
                    }
                    let mark = (round % 251) as u8;
                    at.write_bytes(mark, size);
                    taken.push((at, size, mark));
                } else {
                    let (at, size, mark) = taken.swap_remove(next(taken.len()));
                    let bytes = core::slice::from_raw_parts(at, size);
                    assert!(bytes.iter().all(|byte| *byte == mark), "round {round}");
                    heap.give(at, size);
                }
                most = most.max(taken.len());
            }
            for (at, size, _) in taken {
                heap.give(at, size);
            }
        }
        assert_eq!(pieces(&heap, start), [(0, SIZE)]);
        assert!(most > 50 && refused > 100, "{most} pieces at once, {refused} refused");
    }
}
