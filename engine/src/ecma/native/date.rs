//! `new Date(text)` as V8 reads it, in UTC: the ISO profile, and what it lets older formats get away
//! with.
//!
//! PARITY: V8's `DateParser`: a tokenizer, the ISO grammar first, and a lenient reader that takes
//! over at the first token the grammar does not want.

use crate::ecma::date::{days_from_civil, normal, time_clip};
use crate::ecma::text::is_space;

/// Digits of a number that count; V8 drops the rest.
const SIGNIFICANT_DIGITS: usize = 9;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Token {
    End,
    Number { value: i32, length: usize },
    Symbol(char),
    Space,
    Word { keyword: Keyword, length: usize },
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Keyword {
    Month(i32),
    /// Hours to add for the afternoon.
    HalfDay(i32),
    /// Hours from UTC.
    Zone(i32),
    TimeSeparator,
    Unknown,
}

/// Milliseconds since the epoch, or `None` for an invalid date.
pub(super) fn parse(text: &str) -> Option<f64> {
    let mut reader = Reader::new(text);
    let (mut day, mut time, mut zone) = (Day::default(), Time::default(), Zone::default());
    let mut token = iso(&mut reader, &mut day, &mut time, &mut zone)?;
    let mut number_seen = day.count > 0;
    while token != Token::End {
        legacy(token, &mut reader, &mut day, &mut time, &mut zone, &mut number_seen)?;
        token = reader.next();
    }
    let ms = day.days()? * 86_400_000.0 + time.milliseconds()? - zone.seconds()? * 1000.0;
    Some(time_clip(ms)).filter(|ms| !ms.is_nan())
}

/// Reads the ISO profile as far as it goes. Gives the first token it cannot use, `End` if it used all;
/// `None` if the text has begun like an ISO date-time and is a wrong one.
fn iso(reader: &mut Reader<'_>, day: &mut Day, time: &mut Time, zone: &mut Zone) -> Option<Token> {
    match reader.peek() {
        sign @ Token::Symbol('+' | '-') => {
            reader.next();
            let Some(year) = reader.peek().digits(6) else { return Some(sign) };
            reader.next();
            if sign == Token::Symbol('-') && year == 0 {
                return Some(sign);
            }
            day.add(if sign == Token::Symbol('-') { -year } else { year });
        }
        token if token.digits(4).is_some() => day.add_token(reader.next()),
        _ => return Some(reader.next()),
    }
    for most in [12, 31] {
        if !reader.skip('-') {
            break;
        }
        if !reader.peek().digits(2).is_some_and(|number| (1..=most).contains(&number)) {
            return Some(reader.next());
        }
        day.add_token(reader.next());
    }
    match reader.peek() {
        Token::Word { keyword: Keyword::TimeSeparator, .. } => {
            reader.next();
            iso_time(reader, time, zone)?;
            if reader.peek() != Token::End {
                return None;
            }
        }
        Token::End => zone.set(0),
        _ => return Some(reader.next()),
    }
    day.iso = true;
    Some(Token::End)
}

fn iso_time(reader: &mut Reader<'_>, time: &mut Time, zone: &mut Zone) -> Option<()> {
    let two_digits = |reader: &mut Reader<'_>, most: i32| {
        let number = reader.next().digits(2)?;
        (number <= most).then_some(number)
    };
    let hour = two_digits(reader, 24)?;
    time.add(hour);
    // 24:00 ends a day; nothing else begins with 24.
    let most = if hour == 24 { 0 } else { 59 };
    if !reader.skip(':') {
        return None;
    }
    time.add(two_digits(reader, most)?);
    if reader.skip(':') {
        time.add(two_digits(reader, most)?);
        if reader.skip('.') {
            let token = reader.next();
            let Token::Number { value, .. } = token else { return None };
            if hour == 24 && value > 0 {
                return None;
            }
            time.add(token.milliseconds()?);
        }
    }
    match reader.peek() {
        Token::Word { keyword: Keyword::Zone(_), length: 1 } => {
            reader.next();
            zone.set(0);
        }
        Token::Symbol(sign @ ('+' | '-')) => {
            reader.next();
            zone.sign = Some(if sign == '+' { 1 } else { -1 });
            let (hour, minute) = if let Some(both) = reader.peek().digits(4) {
                reader.next();
                (both / 100, both % 100)
            } else {
                let hour = two_digits(reader, 23)?;
                if !reader.skip(':') {
                    return None;
                }
                (hour, two_digits(reader, 59)?)
            };
            if hour > 23 || minute > 59 {
                return None;
            }
            (zone.hour, zone.minute) = (Some(hour), Some(minute));
        }
        _ => {}
    }
    Some(())
}

/// Takes one token as the lenient reader does; `None` makes the date invalid.
fn legacy(
    token: Token,
    reader: &mut Reader<'_>,
    day: &mut Day,
    time: &mut Time,
    zone: &mut Zone,
    number_seen: &mut bool,
) -> Option<()> {
    match token {
        Token::Number { value, .. } => {
            *number_seen = true;
            return legacy_number(value, reader, day, time, zone);
        }
        Token::Word { keyword, .. } => match keyword {
            Keyword::HalfDay(offset) if time.count > 0 => time.offset = Some(offset),
            Keyword::Month(month) => {
                day.named_month = Some(month);
                reader.skip('-');
            }
            Keyword::Zone(hours) if *number_seen => zone.set(hours),
            // Words before the first number mean nothing, if something separates them from it.
            _ if *number_seen || matches!(reader.peek(), Token::Number { .. }) => return None,
            _ => {}
        },
        Token::Symbol(sign @ ('+' | '-')) if zone.is_utc() || time.count > 0 => {
            zone.sign = Some(if sign == '+' { 1 } else { -1 });
            let (value, length) = match reader.peek() {
                Token::Number { value, length } => {
                    reader.next();
                    (value, length)
                }
                _ => (0, 0),
            };
            *number_seen = true;
            (zone.hour, zone.minute) = if reader.peek() == Token::Symbol(':') {
                (Some(value), None)
            } else {
                match length {
                    1 | 2 => (Some(value), Some(0)),
                    3 | 4 => (Some(value / 100), Some(value % 100)),
                    _ => return None,
                }
            };
        }
        Token::Symbol('+' | '-' | ')') if *number_seen => return None,
        _ => {}
    }
    Some(())
}

fn legacy_number(
    value: i32,
    reader: &mut Reader<'_>,
    day: &mut Day,
    time: &mut Time,
    zone: &mut Zone,
) -> Option<()> {
    if reader.skip(':') {
        if reader.skip(':') {
            if time.count > 0 {
                return None;
            }
            time.add(value);
            time.add(0);
        } else {
            if !time.add(value) {
                return None;
            }
            reader.skip('.');
        }
    } else if reader.skip('.') && time.expects(value) {
        time.add(value);
        let ms = reader.next().milliseconds()?;
        time.add_last(ms);
    } else if zone.expects(value) {
        zone.minute = Some(value);
    } else if time.expects(value) {
        time.add_last(value);
        let ends = match reader.peek() {
            Token::End | Token::Space | Token::Symbol('+' | '-') => true,
            Token::Word { keyword: Keyword::Zone(_), length } => length == 1,
            _ => false,
        };
        if !ends {
            return None;
        }
    } else {
        if !day.add(value) {
            return None;
        }
        reader.skip('-');
    }
    Some(())
}

#[derive(Default)]
struct Day {
    parts: [i32; 3],
    count: usize,
    named_month: Option<i32>,
    iso: bool,
}

impl Day {
    fn add(&mut self, number: i32) -> bool {
        let slot = self.parts.get_mut(self.count);
        self.count += usize::from(slot.is_some());
        slot.map(|slot| *slot = number).is_some()
    }

    fn add_token(&mut self, token: Token) {
        if let Token::Number { value, .. } = token {
            self.add(value);
        }
    }

    /// Days since the epoch.
    fn days(&self) -> Option<f64> {
        let is_day = |number| (1..=31).contains(&number);
        let [first, second, third] = self.parts;
        // Missing parts are 1.
        let (first, second, third) = match self.count {
            0 => return None,
            1 => (first, 1, 1),
            2 => (first, second, 1),
            _ => (first, second, third),
        };
        let (mut year, month, day) = match self.named_month {
            None if self.iso || !is_day(first) => (first, second, third),
            None => (third, first, second),
            Some(month) if !is_day(first) => (first, month, second),
            Some(month) => (second, month, first),
        };
        if !self.iso {
            year += match year {
                0..=49 => 2000,
                50..=99 => 1900,
                _ => 0,
            };
        }
        if !(1..=12).contains(&month) || !is_day(day) || year.abs() > 1_000_000 {
            return None;
        }
        let (year, month) = normal(i64::from(year), i64::from(month) - 1);
        Some(days_from_civil(year, month, i64::from(day)) as f64)
    }
}

#[derive(Default)]
struct Time {
    /// Hour, minute, second, millisecond.
    parts: [i32; 4],
    count: usize,
    offset: Option<i32>,
}

impl Time {
    fn add(&mut self, number: i32) -> bool {
        let slot = self.parts.get_mut(self.count);
        self.count += usize::from(slot.is_some());
        slot.map(|slot| *slot = number).is_some()
    }

    fn add_last(&mut self, number: i32) {
        self.add(number);
        self.count = self.parts.len();
    }

    fn expects(&self, number: i32) -> bool {
        match self.count {
            1 | 2 => number <= 59,
            3 => number <= 999,
            _ => false,
        }
    }

    fn milliseconds(&self) -> Option<f64> {
        let [mut hour, minute, second, ms] = self.parts;
        if let Some(offset) = self.offset {
            if hour > 12 {
                return None;
            }
            hour = hour % 12 + offset;
        }
        let in_range = hour <= 23 && minute <= 59 && second <= 59 && ms <= 999;
        let ends_day = (hour, minute, second, ms) == (24, 0, 0, 0);
        if !in_range && !ends_day {
            return None;
        }
        let seconds = (f64::from(hour) * 60.0 + f64::from(minute)) * 60.0 + f64::from(second);
        Some(seconds * 1000.0 + f64::from(ms))
    }
}

#[derive(Default)]
struct Zone {
    sign: Option<i32>,
    hour: Option<i32>,
    minute: Option<i32>,
}

impl Zone {
    fn set(&mut self, hours: i32) {
        (self.sign, self.hour, self.minute) =
            (Some(if hours < 0 { -1 } else { 1 }), Some(hours.abs()), Some(0));
    }

    fn is_utc(&self) -> bool {
        (self.hour, self.minute) == (Some(0), Some(0))
    }

    fn expects(&self, number: i32) -> bool {
        self.hour.is_some() && self.minute.is_none() && number <= 59
    }

    /// Seconds east of UTC. V8 sums in 32 bits and refuses what looks negative.
    fn seconds(&self) -> Option<f64> {
        let Some(sign) = self.sign else { return Some(0.0) };
        let (hour, minute) = (self.hour.unwrap_or(0), self.minute.unwrap_or(0));
        let total = hour.wrapping_mul(3600).wrapping_add(minute.wrapping_mul(60));
        (total >= 0).then(|| f64::from(sign) * f64::from(total))
    }
}

impl Token {
    /// The value of a number written with exactly so many digits.
    fn digits(self, count: usize) -> Option<i32> {
        match self {
            Token::Number { value, length } if length == count => Some(value),
            _ => None,
        }
    }

    /// A fraction of a second, cut to three digits.
    fn milliseconds(self) -> Option<i32> {
        let Token::Number { value, length } = self else { return None };
        Some(match length {
            1 => value * 100,
            2 => value * 10,
            _ => value / 10_i32.pow(length.min(SIGNIFICANT_DIGITS).saturating_sub(3) as u32),
        })
    }
}

/// The tokens of a text, one ahead.
struct Reader<'t> {
    rest: &'t str,
    ahead: Token,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        // V8 takes a NUL for the end.
        let mut reader =
            Reader { rest: text.split('\0').next().unwrap_or_default(), ahead: Token::End };
        reader.next();
        reader
    }

    fn peek(&self) -> Token {
        self.ahead
    }

    fn next(&mut self) -> Token {
        let token = self.scan();
        std::mem::replace(&mut self.ahead, token)
    }

    fn skip(&mut self, symbol: char) -> bool {
        let found = self.ahead == Token::Symbol(symbol);
        if found {
            self.next();
        }
        found
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|character| !wanted(character)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    fn scan(&mut self) -> Token {
        let Some(first) = self.rest.chars().next() else { return Token::End };
        if first.is_ascii_digit() {
            let digits = self.take_while(|character| character.is_ascii_digit());
            let significant = digits.trim_start_matches('0');
            let counted = significant.get(..significant.len().min(SIGNIFICANT_DIGITS));
            let value = counted.and_then(|digits| digits.parse().ok()).unwrap_or(0);
            return Token::Number { value, length: digits.len() };
        }
        if in_word(first) {
            let word = self.take_while(in_word);
            return Token::Word { keyword: keyword(word), length: word.encode_utf16().count() };
        }
        if first == '(' {
            self.skip_parentheses();
            return Token::Other;
        }
        self.rest = self.rest.get(first.len_utf8()..).unwrap_or_default();
        match first {
            ':' | '-' | '+' | '.' | ')' => Token::Symbol(first),
            _ if is_space(first) => Token::Space,
            _ => Token::Other,
        }
    }

    fn skip_parentheses(&mut self) {
        let mut depth = 0_u32;
        let end = self.rest.char_indices().find(|(_, character)| {
            match character {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        self.rest = end.and_then(|(index, _)| self.rest.get(index + 1..)).unwrap_or_default();
    }
}

/// Any character from `A` on but white space. U+2028 and U+2029 end lines, which is not white space to
/// V8 here, so they belong to words though `trim` removes them.
fn in_word(character: char) -> bool {
    character >= 'A' && (!is_space(character) || matches!(character, '\u{2028}' | '\u{2029}'))
}

/// A word longer than three letters is a keyword only if it begins like a month.
fn keyword(word: &str) -> Keyword {
    let mut letters = [0_u32; 3];
    for (slot, unit) in letters.iter_mut().zip(word.encode_utf16()) {
        *slot = u32::from(unit) | 0x20;
    }
    let prefix: String = letters
        .iter()
        .filter(|letter| **letter != 0)
        .map(|letter| char::from_u32(*letter).unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    let months =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    if let Some(index) = months.iter().position(|month| *month == prefix) {
        return Keyword::Month(index as i32 + 1);
    }
    if word.encode_utf16().count() > 3 {
        return Keyword::Unknown;
    }
    match prefix.as_str() {
        "am" => Keyword::HalfDay(0),
        "pm" => Keyword::HalfDay(12),
        "ut" | "utc" | "z" | "gmt" => Keyword::Zone(0),
        "cdt" | "est" => Keyword::Zone(-5),
        "cst" | "mdt" => Keyword::Zone(-6),
        "edt" => Keyword::Zone(-4),
        "mst" | "pdt" => Keyword::Zone(-7),
        "pst" => Keyword::Zone(-8),
        "t" => Keyword::TimeSeparator,
        _ => Keyword::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn line_and_paragraph_separators_are_letters_and_other_white_space_separates() {
        let day = Some(1_651_363_200_000.0);
        for space in ['\n', '\r', '\u{a0}', '\u{1680}', '\u{2000}', '\u{3000}', '\u{feff}'] {
            assert_eq!(parse(&format!("5/1/2022{space}")), day, "{space:?} behind");
            assert_eq!(parse(&format!("May{space}1 2022")), day, "{space:?} behind a month");
        }
        for letter in ['\u{2028}', '\u{2029}', '\u{85}', '\u{180e}', '\u{200b}'] {
            assert_eq!(parse(&format!("5/1/2022{letter}")), None, "{letter:?} behind");
            assert_eq!(parse(&format!("{letter} 5/1/2022")), day, "{letter:?} as a word before");
            assert_eq!(
                parse(&format!("2022-05-01{letter}")),
                None,
                "{letter:?} behind the ISO form"
            );
        }
        assert_eq!(parse("May\u{2028} 1 2022"), day, "a month's word may go on");
        assert_eq!(parse("May 1 2022 10:00 UTC\u{2029}"), None, "a zone's word may not");
    }
}
