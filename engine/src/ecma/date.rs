//! Dates relative to now, and the range of a `Date`.

use super::Host;
use crate::text::lossy;

/// The largest time a `Date` holds, in milliseconds either side of the epoch.
const MAX_TIME: f64 = 8.64e15;
const HOUR: f64 = 3_600_000.0;
const DAY: f64 = 24.0 * HOUR;

/// `new Date(ms).valueOf()`.
pub(crate) fn time_clip(ms: f64) -> f64 {
    if ms.abs() <= MAX_TIME { ms.trunc() + 0.0 } else { f64::NAN }
}

/// `new Date(text).valueOf()`, or `None` for an invalid date.
pub(crate) fn time_of_text(text: &[u8], host: &(impl Host + ?Sized)) -> Option<f64> {
    let time = iso_time(text).unwrap_or_else(|| host.parse_date(&lossy(text)));
    (!time.is_nan()).then_some(time)
}

/// The time of a text on which all engines agree wherever they are: `2024-05-31`, or
/// `2024-05-31T12:30:15.250Z`, seconds and their fraction optional, `+02:00` in the place of `Z`.
pub(crate) fn iso_time(mut text: &[u8]) -> Option<f64> {
    let century = two(&mut text);
    let year = 100 * century + two(&mut text);
    let month = behind(&mut text, b'-') - 1;
    let day = behind(&mut text, b'-');
    if century < 0
        || year < 100 * century
        || !(0..12).contains(&month)
        || !(1..=days_in_month(year, month)).contains(&day)
    {
        return None;
    }
    let midnight = days_from_civil(year, month, day) as f64 * DAY;
    if text.is_empty() { Some(midnight) } else { Some(midnight + time_of_day(text)? as f64) }
}

/// Milliseconds since midnight UTC of `T12:30:15.250+02:00`.
fn time_of_day(mut text: &[u8]) -> Option<i64> {
    let mut ms = minutes(&mut text, b'T')? * 60_000;
    if let [b':', ..] = text {
        let seconds = behind(&mut text, b':');
        if !(0..60).contains(&seconds) {
            return None;
        }
        ms += seconds * 1000;
        if let [b'.', fraction @ ..] = text {
            text = fraction;
            let mut scale = 1000;
            while let [digit @ b'0'..=b'9', rest @ ..] = text {
                scale /= 10;
                ms += scale * i64::from(digit - b'0');
                text = rest;
                if scale == 0 {
                    return None;
                }
            }
            if scale == 1000 {
                return None;
            }
        }
    }
    let offset = match text {
        b"Z" => return Some(ms),
        [b'+', ..] => minutes(&mut text, b'+')?,
        _ => -minutes(&mut text, b'-')?,
    };
    text.is_empty().then_some(ms - offset * 60_000)
}

/// The minutes of `12:30`, up to `23:59`, behind a sign.
#[inline(never)]
fn minutes(text: &mut &[u8], sign: u8) -> Option<i64> {
    let (hours, minutes) = (behind(text, sign), behind(text, b':'));
    ((0..24).contains(&hours) && (0..60).contains(&minutes)).then_some(60 * hours + minutes)
}

/// The number of two digits behind a sign, or -1.
#[inline(never)]
fn behind(text: &mut &[u8], sign: u8) -> i64 {
    match text {
        [first, rest @ ..] if *first == sign => {
            *text = rest;
            two(text)
        }
        _ => -1,
    }
}

/// The number of the two digits that a text begins with, which are taken from it, or -1.
#[inline(never)]
fn two(text: &mut &[u8]) -> i64 {
    match text {
        [tens @ b'0'..=b'9', units @ b'0'..=b'9', rest @ ..] => {
            *text = rest;
            i64::from(10 * (tens - b'0') + (units - b'0'))
        }
        _ => -1,
    }
}

/// A time so many units before now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RelativeDate {
    pub(crate) count: u32,
    pub(crate) unit: Unit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Hour,
    Day,
    Week,
    Month,
    Year,
}

impl Unit {
    pub(crate) const ALL: [Unit; 5] = [Unit::Hour, Unit::Day, Unit::Week, Unit::Month, Unit::Year];
}

impl RelativeDate {
    #[cfg(feature = "compile")]
    /// Reads `-3d`: digits and one of h, d, w, m, y. The sign is read and means nothing.
    ///
    /// PARITY: `relativeDateParseForFeatureFlagMatching` (@posthog/core).
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('-').unwrap_or(text);
        let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let unit = match unit {
            "h" => Unit::Hour,
            "d" => Unit::Day,
            "w" => Unit::Week,
            "m" => Unit::Month,
            "y" => Unit::Year,
            _ => return None,
        };
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let count = match digits.trim_start_matches('0') {
            "" => 0,
            digits => digits.parse::<u32>().ok()?,
        };
        (count < 10_000).then_some(RelativeDate { count, unit })
    }

    /// The time in milliseconds since the epoch, given now.
    pub(crate) fn before(self, now: f64) -> f64 {
        let now = time_clip(now);
        if now.is_nan() {
            return now;
        }
        let count = f64::from(self.count);
        time_clip(match self.unit {
            Unit::Hour => now - count * HOUR,
            Unit::Day => now - count * DAY,
            Unit::Week => now - count * 7.0 * DAY,
            Unit::Month => subtract_months(now, i64::from(self.count)),
            Unit::Year => subtract_years(now, i64::from(self.count)),
        })
    }
}

/// Goes back month by month; a day that a passed month lacks is clamped to that month's last.
///
/// PARITY: `subtractUTCMonths` (@posthog/core).
fn subtract_months(now: f64, months: i64) -> f64 {
    let (year, month, mut day) = civil(now);
    for step in 1..=months {
        if day <= 28 {
            break;
        }
        let (passed_year, passed_month) = normal(year, month - step);
        day = day.min(days_in_month(passed_year, passed_month));
    }
    with_date(now, year, month - months, day)
}

/// 29 February becomes 28 February as soon as one year is subtracted, leap year or not.
///
/// PARITY: `subtractUTCYears` (@posthog/core).
fn subtract_years(now: f64, years: i64) -> f64 {
    let (year, month, day) = civil(now);
    let day = if years > 0 && (month, day) == (1, 29) { 28 } else { day };
    with_date(now, year - years, month, day)
}

/// The time of day of `now` on another date.
#[inline(never)]
fn with_date(now: f64, year: i64, month: i64, day: i64) -> f64 {
    let (year, month) = normal(year, month);
    let time_of_day = (now as i64).rem_euclid(DAY as i64);
    days_from_civil(year, month, day) as f64 * DAY + time_of_day as f64
}

/// Carries months outside 0..=11 into the year.
#[inline(never)]
pub(crate) fn normal(year: i64, month: i64) -> (i64, i64) {
    (year + month.div_euclid(12), month.rem_euclid(12))
}

#[inline(never)]
fn days_in_month(year: i64, month: i64) -> i64 {
    let (next_year, next_month) = normal(year, month + 1);
    days_from_civil(next_year, next_month, 1) - days_from_civil(year, month, 1)
}

/// Days from the epoch to a date of the proleptic Gregorian calendar; month 0..=11, day from 1
/// (larger days run on into the next month).
#[inline(never)]
pub(crate) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March put the leap day last.
    let year = if month < 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 10) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month 0..=11 and day of a time.
#[inline(never)]
fn civil(ms: f64) -> (i64, i64, i64) {
    let days = (ms / DAY).floor() as i64 + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = (shifted + 2) % 12;
    let year = year_of_era + era * 400 + i64::from(month < 2);
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_dates_are_read_only_where_engines_agree() {
        let at = |text: &str| iso_time(text.as_bytes());
        assert_eq!(at("1970-01-02"), Some(DAY));
        assert_eq!(at("1970-01-01T01:02Z"), Some(3_720_000.0));
        assert_eq!(at("1970-01-01T01:02:03.5+01:00"), Some(123_500.0));
        assert_eq!(at("1970-01-01T00:00:00.007-00:30"), Some(1_800_007.0));
        for text in [
            "",
            "1970",
            "1970-1-01",
            "1970-02-29",
            "1970-00-01",
            "1970-13-01",
            "1970-01-00",
            "1970-01-01T01:02",
            "1970-01-01 01:02Z",
            "1970-01-01T24:00Z",
            "1970-01-01T01:60Z",
            "1970-01-01T01:02:60Z",
            "1970-01-01T01:02:03.Z",
            "1970-01-01T01:02:03.1234Z",
            "1970-01-01T01:02:03z",
            "1970-01-01T01:02:03+0100",
            "1970-01-01Z",
            "+01970-01-01",
        ] {
            assert_eq!(at(text), None, "{text}");
        }
    }

    #[test]
    fn a_date_survives_the_way_to_days_and_back() {
        for days in (-800_000..800_000).step_by(97) {
            let (year, month, day) = civil(days as f64 * DAY + 1.0);
            assert_eq!(days_from_civil(year, month, day), days);
        }
        assert_eq!(civil(0.0), (1970, 0, 1));
        assert_eq!(civil(-1.0), (1969, 11, 31));
    }

    #[test]
    fn months_clamp_to_each_month_passed() {
        let at = |year, month, day| days_from_civil(year, month, day) as f64 * DAY;
        assert_eq!(subtract_months(at(2024, 2, 31), 2), at(2024, 0, 29));
        assert_eq!(subtract_months(at(2023, 2, 31), 2), at(2023, 0, 28));
        assert_eq!(subtract_months(at(2022, 4, 31), 3), at(2022, 1, 28));
        assert_eq!(subtract_years(at(2024, 1, 29), 4), at(2020, 1, 28));
    }

    #[test]
    fn nothing_is_before_a_time_that_is_none() {
        for unit in ["h", "d", "w", "m", "y"] {
            let date = RelativeDate::parse(&format!("3{unit}")).unwrap();
            for now in [f64::NAN, f64::INFINITY, -8.7e15] {
                assert!(date.before(now).is_nan(), "{unit} before {now}");
            }
        }
    }
}
