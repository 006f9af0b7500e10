//! Points in time by ISO 8601, read with goodwill: what a decoder of RFC 3339 takes and the forms beside it.

/// Whether a text is a date and a time of day, in the extended or the basic form, with or without seconds, fraction and zone.
pub(super) fn is_timestamp(text: &str) -> bool {
    let Some(at) = text.find(['T', 't', ' ']) else {
        return false;
    };
    let (date, time) = (&text[..at], &text[at + 1..]);
    let zone = time.find(['Z', 'z', '+', '-', '\u{2212}']);
    let (time, zone) = time.split_at(zone.unwrap_or(time.len()));
    is_date(date) && is_time(time) && is_zone(zone)
}

fn is_date(text: &str) -> bool {
    let digits = match text.split('-').collect::<Vec<_>>()[..] {
        [whole] => whole.to_owned(),
        [year, month, day] if (year.len(), month.len()) == (4, 2) => {
            format!("{year}{month}{day}")
        }
        _ => return false,
    };
    digits.len() == 8
        && within(&digits, 0..4, 0..=9999)
        && within(&digits, 4..6, 1..=12)
        && within(&digits, 6..8, 1..=31)
}

fn is_time(text: &str) -> bool {
    let (clock, fraction) = match text.split_once(['.', ',']) {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (text, None),
    };
    let is_fraction =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let fields: Vec<&str> = clock.split(':').collect();
    let is_apart = fields.len() > 1 && fields.iter().all(|field| field.len() == 2);
    let digits = fields.concat();
    (fields.len() == 1 || is_apart)
        && matches!(digits.len(), 4 | 6)
        && within(&digits, 0..2, 0..=24)
        && within(&digits, 2..4, 0..=59)
        && (digits.len() == 4 || within(&digits, 4..6, 0..=60))
        && fraction.is_none_or(is_fraction)
}

fn is_zone(text: &str) -> bool {
    let mut rest = text.chars();
    match rest.next() {
        None => true,
        Some('Z' | 'z') => rest.next().is_none(),
        Some(_) => {
            let digits: String = rest.as_str().replacen(':', "", 1);
            matches!(digits.len(), 2 | 4)
                && within(&digits, 0..2, 0..=23)
                && (digits.len() == 2 || within(&digits, 2..4, 0..=59))
        }
    }
}

fn within(digits: &str, at: std::ops::Range<usize>, values: std::ops::RangeInclusive<u32>) -> bool {
    digits.get(at).is_some_and(|digits| {
        digits.bytes().all(|byte| byte.is_ascii_digit())
            && digits.parse().is_ok_and(|value| values.contains(&value))
    })
}

#[cfg(test)]
mod tests {
    use super::is_timestamp;

    #[test]
    fn forms_that_decoders_take_are_times() {
        for text in [
            "2025-11-25T10:30:00Z",
            "2025-11-25t10:30:00.123456789z",
            "2025-11-25T10:30:00+05:30",
            "2025-11-25T10:30:00-0800",
            "2025-11-25T10:30:00+01",
            "2025-11-25T10:30:00",
            "2025-11-25 10:30:00Z",
            "2025-11-25T10:30Z",
            "20251125T103000Z",
            "2016-12-31T23:59:60Z",
            "2025-11-25T24:00:00Z",
            "2025-11-25T10:30:00,5Z",
        ] {
            assert!(is_timestamp(text), "{text}");
        }
    }

    #[test]
    fn other_texts_are_none() {
        for text in [
            "",
            "x",
            "yesterday",
            "2025-11-25",
            "10:30:00Z",
            "2025-13-01T00:00:00Z",
            "2025-00-01T00:00:00Z",
            "2025-01-32T00:00:00Z",
            "2025-1-1T00:00:00Z",
            "2025-11-25T25:00:00Z",
            "2025-11-25T10:60:00Z",
            "2025-11-25T10Z",
            "2025-11-25T10:30:0Z",
            "2025-11-25T10:30:00.Z",
            "2025-11-25T10:30:00ZZ",
            "2025-11-25T10:30:00+",
            "2025-11-25T10:30:00+99:00",
            "Tue Nov 25 2025",
            "1764066600",
            "éééé-éé-ééTéé",
        ] {
            assert!(!is_timestamp(text), "{text}");
        }
    }
}
