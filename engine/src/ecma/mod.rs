//! The only home of JavaScript's rules.

mod date;
#[cfg(feature = "native")]
mod native;
mod number;
mod text;

#[cfg(feature = "compile")]
pub(crate) use date::iso_time;
pub(crate) use date::{RelativeDate, Unit, time_clip, time_of_text};
#[cfg(feature = "native")]
pub use native::NativeHost;
pub(crate) use number::plain_number;
#[cfg(feature = "compile")]
pub(crate) use number::to_number;
#[cfg(feature = "compile")]
pub(crate) use text::ascii_lower;
pub(crate) use text::{
    compare_utf16, contains, ends_with, starts_with, template_text_of, text_of, trim,
};

/// What the engine asks of the JavaScript it runs in, or of the native stand-in.
///
/// Texts handed over are well-formed Unicode.
pub trait Host {
    /// `new Date(text).valueOf()`: milliseconds since the epoch, NaN if the host cannot read it.
    fn parse_date(&self, text: &str) -> f64;

    /// `text.toLowerCase()`. Asked only for texts that are not ASCII.
    fn to_lower_case(&self, text: &str) -> String;

    /// `String(number)`.
    fn number_to_string(&self, number: f64) -> String;

    /// `parseFloat(text)`.
    fn parse_float(&self, text: &str) -> f64;

    /// `Number(text)`.
    fn to_number(&self, text: &str) -> f64;
}
