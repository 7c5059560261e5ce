use sha1::{Digest, Sha1};

use super::{Four, Message, Tail, position};
use crate::text::Text;

/// The reference: the same by a known library, over text that the standard library converts.
fn expected(parts: &[&[u8]]) -> f64 {
    let mut sha1 = Sha1::new();
    for part in parts {
        sha1.update(Text::from_wtf8(part.to_vec()).to_str_lossy().as_bytes());
    }
    let digest = sha1.finalize();
    let bits = u64::from_be_bytes(digest[..8].try_into().unwrap());
    (bits >> 4) as f64 / 1_152_921_504_606_846_976.0
}

/// Numbers that look random and are the same in every run (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    /// WTF-8 of up to `limit` bytes: ASCII, or all kinds of characters with lone surrogates among them.
    fn text(&mut self, limit: usize) -> Vec<u8> {
        const PIECES: [&[u8]; 9] = [
            b"a",
            b"-0123456789-",
            "\u{e9}".as_bytes(),
            "\u{d7ff}".as_bytes(),
            "\u{d55c}".as_bytes(),
            "\u{1f600}".as_bytes(),
            &[0xed, 0xa0, 0x80],
            &[0xed, 0xaf, 0xbf],
            &[0xed, 0xbf, 0xbf],
        ];
        let length = self.below(limit + 1);
        let ascii = self.below(2) == 0;
        let mut text = Vec::new();
        while text.len() < length {
            if ascii {
                text.push(b' ' + self.below(95) as u8);
                continue;
            }
            let piece = PIECES[self.below(PIECES.len())];
            let low_after_high = matches!(piece, [0xed, 0xb0..=0xff, _])
                && matches!(text[..], [.., 0xed, 0xa0..0xb0, _]);
            if low_after_high {
                text.push(b' ');
            }
            text.extend(piece);
        }
        text
    }
}

/// The message of these parts, the first of which is its head; `None` if it is too long.
fn message(parts: [&[u8]; 3]) -> Option<Message> {
    let [head, middle, salt] = parts;
    let mut message = Message::EMPTY;
    message.fill(head, &Tail::new(&[middle, salt])?).then_some(message)
}

#[test]
fn hashes_are_those_of_the_reference() {
    let of = |key: &str, bucketing: &str, salt: &str| {
        position(&[key.as_bytes(), b".", bucketing.as_bytes(), salt.as_bytes()])
    };
    assert_eq!(of("flag", "user", ""), 0.435_736_849_816_331_3);
    assert_eq!(of("flag", "user", "variant"), 0.472_702_198_566_722_2);
    assert_eq!(of("beta-feature", "distinct-id", ""), 0.229_988_430_076_024_6);
}

#[test]
fn every_length_hashes_as_the_library_does_it() {
    let bytes: Vec<u8> = (0..300_u32).map(|index| b' ' + (index * 37 % 95) as u8).collect();
    for length in 0..=bytes.len() {
        let text = &bytes[..length];
        assert_eq!(position(&[text]), expected(&[text]), "{length}");
        for head in [0, 1, 3, 7, 8, 9, 20, 63, 64, 65, 119].into_iter().filter(|at| *at <= length) {
            let (head, tail) = text.split_at(head);
            match message([head, tail, b""]) {
                Some(message) => assert_eq!(message.position(), expected(&[text]), "{length}"),
                None => assert!(length > 119, "{length}"),
            }
        }
    }
}

#[test]
fn parts_of_any_text_hash_as_the_library_does_it() {
    let mut numbers = Numbers(1);
    for round in 0..20_000 {
        let parts: Vec<Vec<u8>> = (0..numbers.below(6)).map(|_| numbers.text(60)).collect();
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        assert_eq!(position(&parts), expected(&parts), "round {round}: {parts:?}");
    }
}

#[test]
fn four_messages_of_any_lengths_hash_as_one_at_a_time() {
    let mut numbers = Numbers(2);
    let mut four = Four::new();
    let nothing = Tail::new(&[]).unwrap();
    assert!(four.messages.iter_mut().all(|message| message.fill(b"", &nothing)));
    let mut wants = [expected(&[]); 4];
    let (mut short, mut long, mut mixed, mut refused) = (0, 0, 0, 0);
    for round in 0..20_000 {
        let limit = 10 + numbers.below(70);
        // Some lanes keep the message of an earlier round.
        for (message, want) in four.messages.iter_mut().zip(&mut wants) {
            let parts = [numbers.text(limit), numbers.text(limit), numbers.text(7)];
            let [head, middle, salt] = parts.each_ref().map(Vec::as_slice);
            let Some(tail) = Tail::new(&[middle, salt]) else { continue };
            if message.fill(head, &tail) {
                *want = expected(&[head, middle, salt]);
                assert_eq!(message.position(), *want, "round {round}: {parts:?}");
            } else {
                refused += 1;
            }
        }
        assert_eq!(four.positions(), wants, "round {round}");
        match four.messages.iter().filter(|message| message.is_long()).count() {
            0 => short += 1,
            4 => long += 1,
            _ => mixed += 1,
        }
    }
    let met = [short, long, mixed, refused];
    assert!(met.iter().all(|count| *count > 100), "{met:?}");
}

#[test]
fn each_lane_holds_its_own_message() {
    let texts = [b"a".as_slice(), &[b'b'; 55], &[b'c'; 56], &[b'd'; 119]];
    let wants = texts.map(|text| expected(&[text]));
    let mut four = Four::new();
    for turn in 0..4 {
        for (lane, message) in four.messages.iter_mut().enumerate() {
            assert!(message.fill(texts[(lane + turn) % 4], &Tail::new(&[]).unwrap()));
        }
        let mut turned = wants;
        turned.rotate_left(turn);
        assert_eq!(four.positions(), turned);
    }
}

#[test]
fn a_lone_surrogate_is_hashed_as_the_replacement_character() {
    let (high, low) = ([0xed, 0xa0, 0x80].as_slice(), [0xed, 0xb0, 0x80].as_slice());
    let replacement = "\u{fffd}".as_bytes();
    assert_eq!(position(&[high]), position(&[replacement]));
    assert_eq!(position(&[low, high]), position(&[replacement, replacement]));
    // Each part is converted by itself, so that these two are no character together.
    assert_eq!(position(&[high, low]), position(&[replacement, replacement]));
    for before in 0..20 {
        for after in 0..20 {
            let text = |middle: &[u8]| {
                [&b"abcdefghijklmnopqrst"[..before], middle, &b"abcdefghijklmnopqrst"[..after]]
                    .concat()
            };
            let (lone, replaced) = (text(high), text(replacement));
            assert_eq!(position(&[&lone]), position(&[&replaced]));
            let [lone, replaced] = [lone, replaced].map(|text| message([&text, &text, b""]));
            assert_eq!(lone.unwrap().position(), replaced.unwrap().position());
        }
    }
}

#[test]
fn characters_that_begin_as_surrogates_do_are_kept() {
    let hangul = "\u{d55c}\u{d7ff}".repeat(40);
    for end in (0..hangul.len()).step_by(3) {
        let text = &hangul.as_bytes()[..end];
        assert_eq!(position(&[text]), expected(&[text]), "{end}");
    }
}
