//! The flags of definitions, as far as it is told without understanding them.

use crate::ecma::Host;
use crate::json::{Fault, Reader};
use crate::text::Text;
use crate::value::Value;

/// Beyond this a double is not every whole number.
const MAX_WHOLE: f64 = 9_007_199_254_740_992.0;

/// What is told of a flag without understanding it.
#[derive(Debug, Default)]
pub(super) struct Listed {
    pub(super) key: Option<Text>,
    pub(super) id: Option<i64>,
    pub(super) version: Option<i64>,
}

/// The flags of definitions, without those of another shape; `None` if the definitions cannot be read.
/// What is not asked for is only passed over.
pub(super) fn listed(definitions: &[u8], host: &dyn Host) -> Option<Vec<Listed>> {
    let bytes = definitions.strip_prefix(b"\xef\xbb\xbf").unwrap_or(definitions);
    let mut reader = Reader::new(str::from_utf8(bytes).ok()?, host);
    let mut flags = None;
    let read = reader.members(|reader, name| {
        if name.as_bytes() != b"flags" {
            return reader.skip();
        }
        let mut list = Vec::new();
        reader.elements(|reader| {
            list.extend(flag(reader)?);
            Ok(())
        })?;
        flags = Some(list);
        Ok(())
    });
    read.ok()?;
    reader.end().ok()?;
    flags
}

fn flag(reader: &mut Reader<'_>) -> Result<Option<Listed>, Fault> {
    if reader.peek() != Some(b'{') {
        return reader.skip().map(|()| None);
    }
    let mut flag = Listed::default();
    let mut is_odd = false;
    reader.members(|reader, name| {
        match name.as_bytes() {
            b"key" => match reader.value_or_skip()? {
                Some(Value::String(key)) => flag.key = Some(key),
                Some(Value::Null) => flag.key = None,
                _ => is_odd = true,
            },
            b"id" => is_odd |= whole(reader, &mut flag.id)?,
            b"version" => is_odd |= whole(reader, &mut flag.version)?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    Ok((!is_odd).then_some(flag))
}

/// Reads a whole number or null. Whether it is anything else.
fn whole(reader: &mut Reader<'_>, into: &mut Option<i64>) -> Result<bool, Fault> {
    *into = match reader.value_or_skip()? {
        Some(Value::Number(number)) if number.abs() < MAX_WHOLE && number % 1.0 == 0.0 => {
            Some(number as i64)
        }
        Some(Value::Null) => None,
        _ => return Ok(true),
    };
    Ok(false)
}
