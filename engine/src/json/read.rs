//! `JSON.parse`.

use std::collections::BTreeMap;

use crate::ecma::Host;
use crate::error::Error;
use crate::text::Text;
use crate::value::Value;

/// Levels of nesting that are read.
const MAX_DEPTH: u32 = 500;

/// Memory in bytes that one reader's values may take, by the estimate below. A byte of JSON can take
/// fifty bytes of memory, and the edge has 4 GiB at most.
pub(crate) const MAX_MEMORY: usize = 2 << 30;

/// What a value takes in a list that has grown to twice its contents.
const VALUE: usize = 48;
/// What an object takes beside its members.
const OBJECT: usize = 400;
/// What a text takes beside its bytes.
const TEXT: usize = 16;

/// Reads one JSON value.
///
/// # Errors
/// [`Error::is_json`] when the text is not JSON or is nested deeper than 500 levels.
pub(crate) fn parse(text: &str, host: &dyn Host) -> Result<Value, Error> {
    let mut reader = Reader::new(text, host);
    let value = reader.value().map_err(|fault| reader.error(fault))?;
    reader.end()?;
    Ok(value)
}

/// Checks that a text is JSON of any depth, and reads it if it is neither array nor object; `None` for
/// what is not JSON.
pub(crate) fn scalar(text: &str, host: &dyn Host) -> Option<Option<Value>> {
    let mut reader = Reader::new(text, host);
    let read = match reader.peek() {
        Some(b'{' | b'[') => reader.skip().map(|()| None),
        _ => reader.value().map(Some),
    };
    reader.end().ok()?;
    read.ok()
}

/// What keeps a value from being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is not JSON.
    Syntax,
    /// It may be JSON, nested deeper than the limit.
    Depth,
    /// It may be JSON, and would take too much memory.
    Size,
}

/// Reads a text from front to back.
pub(crate) struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
    /// Memory in bytes that is left for values.
    room: usize,
    host: &'a dyn Host,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str, host: &'a dyn Host) -> Self {
        Reader { text, at: 0, depth: 0, room: MAX_MEMORY, host }
    }

    /// Bytes read so far.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// The error for a fault at the place reached. It tells no text, which might hold secrets.
    pub(crate) fn error(&self, fault: Fault) -> Error {
        match fault {
            Fault::Syntax => {}
            Fault::Depth => return Error::json(format!("nested deeper than {MAX_DEPTH} levels")),
            Fault::Size => return Error::json("too large"),
        }
        let before = self.text.as_bytes().get(..self.at).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
        Error::json(format!("not JSON at line {line} column {column}"))
    }

    /// Nothing but white space may follow.
    pub(crate) fn end(&mut self) -> Result<(), Error> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.error(Fault::Syntax)),
        }
    }

    /// The next byte that is not white space.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.byte() {
            self.at += 1;
        }
        self.byte()
    }

    /// Reads a value.
    pub(crate) fn value(&mut self) -> Result<Value, Fault> {
        self.take(VALUE)?;
        match self.peek().ok_or(Fault::Syntax)? {
            b'{' => {
                self.take(OBJECT)?;
                let mut members = BTreeMap::new();
                self.members(|reader, key| {
                    reader.take(TEXT + key.len())?;
                    members.insert(key, reader.value()?);
                    Ok(())
                })?;
                Ok(Value::Object(members.into()))
            }
            b'[' => {
                let mut items = Vec::new();
                self.elements(|reader| {
                    items.push(reader.value()?);
                    Ok(())
                })?;
                Ok(Value::Array(items))
            }
            b'"' => {
                let text = self.string()?;
                self.take(TEXT + text.len())?;
                Ok(Value::String(text))
            }
            b'-' | b'0'..=b'9' => self.number().map(Value::Number),
            b't' => self.word("true").map(|()| Value::Bool(true)),
            b'f' => self.word("false").map(|()| Value::Bool(false)),
            _ => self.word("null").map(|()| Value::Null),
        }
    }

    /// Reads an object, member by member: `each` gets a key and reads its value.
    pub(crate) fn members(
        &mut self,
        mut each: impl FnMut(&mut Self, Text) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.listed(b'{', b'}', &mut |reader| {
            let key = reader.key()?;
            each(reader, key)
        })
    }

    /// Reads an array: `each` reads one element.
    pub(crate) fn elements(
        &mut self,
        mut each: impl FnMut(&mut Self) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.listed(b'[', b']', &mut each)
    }

    /// Reads a value as far as the depth allows. One that is deeper is passed over, and `None` stands
    /// for it.
    pub(crate) fn value_or_skip(&mut self) -> Result<Option<Value>, Fault> {
        let (start, depth, room) = (self.at, self.depth, self.room);
        match self.value() {
            Err(Fault::Depth) => {
                (self.at, self.depth, self.room) = (start, depth, room);
                self.skip().map(|()| None)
            }
            read => read.map(Some),
        }
    }

    /// Takes memory for a value.
    fn take(&mut self, bytes: usize) -> Result<(), Fault> {
        self.room = self.room.checked_sub(bytes).ok_or(Fault::Size)?;
        Ok(())
    }

    /// Passes over a value of any depth, checking it.
    pub(crate) fn skip(&mut self) -> Result<(), Fault> {
        let mut open = Vec::new();
        loop {
            match self.peek().ok_or(Fault::Syntax)? {
                bracket @ (b'{' | b'[') => {
                    self.at += 1;
                    if self.peek() != Some(closing(bracket)) {
                        open.push(bracket);
                        self.skip_key(bracket)?;
                        continue;
                    }
                    self.at += 1;
                }
                b'"' => self.skip_string()?,
                b'-' | b'0'..=b'9' => drop(self.digits_of_number()?),
                b't' => self.word("true")?,
                b'f' => self.word("false")?,
                _ => self.word("null")?,
            }
            // A value has ended: go on in, or end, what it stands in.
            loop {
                let Some(bracket) = open.last().copied() else { return Ok(()) };
                if self.peek() == Some(closing(bracket)) {
                    self.at += 1;
                    open.pop();
                } else {
                    self.symbol(b',')?;
                    self.skip_key(bracket)?;
                    break;
                }
            }
        }
    }

    fn skip_key(&mut self, bracket: u8) -> Result<(), Fault> {
        if bracket != b'{' {
            return Ok(());
        }
        if self.peek() != Some(b'"') {
            return Err(Fault::Syntax);
        }
        self.skip_string()?;
        self.symbol(b':')
    }

    fn key(&mut self) -> Result<Text, Fault> {
        if self.peek() != Some(b'"') {
            return Err(Fault::Syntax);
        }
        let key = self.string()?;
        self.symbol(b':')?;
        Ok(key)
    }

    fn listed(
        &mut self,
        open: u8,
        close: u8,
        each: &mut dyn FnMut(&mut Self) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.symbol(open)?;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Fault::Depth);
        }
        if self.peek() != Some(close) {
            each(self)?;
            while self.peek() != Some(close) {
                self.symbol(b',')?;
                each(self)?;
            }
        }
        self.at += 1;
        self.depth -= 1;
        Ok(())
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn symbol(&mut self, symbol: u8) -> Result<(), Fault> {
        if self.peek() != Some(symbol) {
            return Err(Fault::Syntax);
        }
        self.at += 1;
        Ok(())
    }

    fn word(&mut self, word: &str) -> Result<(), Fault> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        if !rest.starts_with(word.as_bytes()) {
            return Err(Fault::Syntax);
        }
        self.at += word.len();
        Ok(())
    }

    /// Passes over at least one digit; their number.
    fn digits(&mut self) -> Result<usize, Fault> {
        let start = self.at;
        while self.byte().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start { Err(Fault::Syntax) } else { Ok(self.at - start) }
    }

    fn number(&mut self) -> Result<f64, Fault> {
        let start = self.at;
        let whole = self.digits_of_number()?;
        let text = self.text.get(start..self.at).unwrap_or_default();
        // Whole numbers of up to 15 digits are exact doubles; JavaScript's own parser sees to the rest.
        if whole.is_some_and(|digits| digits <= 15) && text != "-0" {
            return text.parse::<i64>().map(|whole| whole as f64).map_err(|_| Fault::Syntax);
        }
        Ok(self.host.parse_float(text))
    }

    /// Passes over a number; how many digits it has if it is a whole one.
    fn digits_of_number(&mut self) -> Result<Option<usize>, Fault> {
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        let leading_zero = self.byte() == Some(b'0');
        let whole = self.digits()?;
        if leading_zero && whole > 1 {
            return Err(Fault::Syntax);
        }
        let whole_end = self.at;
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.byte() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.byte() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok((self.at == whole_end).then_some(whole))
    }

    fn string(&mut self) -> Result<Text, Fault> {
        self.at += 1;
        let mut decoded = Vec::new();
        loop {
            let start = self.at;
            while self.byte().is_some_and(|byte| byte != b'"' && byte != b'\\' && byte >= b' ') {
                self.at += 1;
            }
            decoded.extend_from_slice(self.text.as_bytes().get(start..self.at).unwrap_or_default());
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Text::from_wtf8(decoded));
                }
                Some(b'\\') => {
                    self.at += 1;
                    self.escape(&mut decoded)?;
                }
                _ => return Err(Fault::Syntax),
            }
        }
    }

    /// Passes over a text, checking it.
    fn skip_string(&mut self) -> Result<(), Fault> {
        self.at += 1;
        let mut escaped = Vec::new();
        loop {
            let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
            let ends = |byte: &u8| *byte == b'"' || *byte == b'\\' || *byte < b' ';
            self.at += rest.iter().position(ends).unwrap_or(rest.len());
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => {
                    self.at += 1;
                    self.escape(&mut escaped)?;
                }
                _ => return Err(Fault::Syntax),
            }
        }
    }

    fn escape(&mut self, decoded: &mut Vec<u8>) -> Result<(), Fault> {
        let escaped = self.byte().ok_or(Fault::Syntax)?;
        self.at += 1;
        decoded.push(match escaped {
            b'"' | b'\\' | b'/' => escaped,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let code = self.code()?;
                push_code(code, decoded);
                return Ok(());
            }
            _ => return Err(Fault::Syntax),
        });
        Ok(())
    }

    /// The code point of a `\u` escape, or of two that make a surrogate pair.
    fn code(&mut self) -> Result<u32, Fault> {
        let high = self.hex()?;
        let after_high = self.at;
        if (0xd800..0xdc00).contains(&high) && self.word("\\u").is_ok() {
            let low = self.hex()?;
            if (0xdc00..0xe000).contains(&low) {
                return Ok(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00));
            }
            self.at = after_high;
        }
        Ok(high)
    }

    fn hex(&mut self) -> Result<u32, Fault> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4).ok_or(Fault::Syntax)?;
        self.at += 4;
        digits.iter().try_fold(0, |code, digit| {
            char::from(*digit).to_digit(16).map(|digit| code << 4 | digit).ok_or(Fault::Syntax)
        })
    }
}

fn closing(bracket: u8) -> u8 {
    if bracket == b'{' { b'}' } else { b']' }
}

/// Writes a code point as UTF-8, a lone surrogate as its three bytes.
fn push_code(code: u32, out: &mut Vec<u8>) {
    match char::from_u32(code) {
        Some(character) => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        None => {
            let bytes = [0xe0 | (code >> 12), 0x80 | (code >> 6 & 0x3f), 0x80 | (code & 0x3f)];
            out.extend(bytes.map(|byte| byte as u8));
        }
    }
}

#[cfg(all(test, feature = "native"))]
mod tests {
    use super::*;
    use crate::ecma::NativeHost;
    use crate::members::Members;

    fn read(text: &str) -> Result<Value, Error> {
        parse(text, &NativeHost::new())
    }

    #[test]
    fn what_json_parse_takes_is_taken() {
        assert_eq!(read("1e400").unwrap(), Value::Number(f64::INFINITY));
        assert!(matches!(read("-0").unwrap(), Value::Number(zero) if zero.is_sign_negative()));
        assert_eq!(
            read(" [-1.50, 9007199254740993,\t123456789012345, 1E3, true,false ,null]\n").unwrap(),
            Value::Array(vec![
                Value::Number(-1.5),
                Value::Number(9_007_199_254_740_992.0),
                Value::Number(123_456_789_012_345.0),
                Value::Number(1000.0),
                Value::Bool(true),
                Value::Bool(false),
                Value::Null,
            ])
        );
        let key = Text::from_wtf8(vec![0xed, 0xa0, 0x80, b'A']);
        let text = Text::from_wtf8(b"\xf0\x9f\x98\x80\xed\xb0\x80/\xc3\xa9".to_vec());
        assert_eq!(
            read(r#"{"\ud800\u0041":"\ud83d\ude00\udc00\/é","a":1,"a":{}}"#).unwrap(),
            Value::Object(Members::from(BTreeMap::from([
                (key, Value::String(text)),
                (Text::from("a"), Value::Object(Members::default())),
            ])))
        );
    }

    #[test]
    fn what_is_not_json_is_refused_with_its_place() {
        for text in [
            "",
            " ",
            "{",
            "[1,]",
            "[1 2]",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "+1",
            "'a'",
            "nul",
            "1 2",
            "\u{feff}1",
            "\"\u{1}\"",
            "\"a",
            "\"\\x\"",
            "\"\\u12\"",
            "{a:1}",
            "{\"a\"}",
            "{\"a\":1,}",
            "[}",
            "NaN",
            "\"\\ud83d\\u12\"",
        ] {
            assert!(read(text).unwrap_err().is_json(), "{text:?}");
        }
        let error = read("[1,\n 2 x]").unwrap_err();
        assert_eq!(error.to_string(), "not JSON at line 2 column 4");
    }

    #[test]
    fn values_that_would_take_too_much_memory_are_refused() {
        let host = NativeHost::new();
        let with_room = |text, room| Reader { room, ..Reader::new(text, &host) }.value();
        for (text, takes) in [
            ("7", VALUE),
            (r#""abc""#, VALUE + TEXT + 3),
            ("[1,[]]", 3 * VALUE),
            (r#"{"ab":"c"}"#, 2 * VALUE + OBJECT + 2 * TEXT + 3),
        ] {
            assert!(with_room(text, takes).is_ok(), "{text}");
            assert_eq!(with_room(text, takes - 1), Err(Fault::Size), "{text}");
        }
    }

    #[test]
    fn nesting_is_read_to_the_limit_and_passed_over_beyond() {
        let deep = |levels| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        assert!(read(&deep(500)).is_ok());
        assert_eq!(read(&deep(501)).unwrap_err().to_string(), "nested deeper than 500 levels");
        let host = NativeHost::new();
        let text = format!(r#"{{"a":[{}],"b":[]}} 7"#, deep(100_000));
        let mut reader = Reader::new(&text, &host);
        assert_eq!(reader.value_or_skip(), Ok(None));
        assert_eq!(reader.value(), Ok(Value::Number(7.0)));
        for broken in ["[1}", "{1:2}", "[1", "{\"a\" 1}", "[,]"] {
            let text = format!("[{},{broken}]", deep(600));
            assert_eq!(Reader::new(&text, &host).value_or_skip(), Err(Fault::Syntax), "{broken}");
        }
    }
}
