//! Which plain scalars mean the same to every reader of YAML.
//!
//! A plain scalar that YAML 1.1 or YAML 1.2 reads as anything but a string must be JSON text that a JSON writer would write
//! in just these bytes; otherwise one reader's `yes` is another reader's `true`, and `010` is 8, 10 or a string.

/// How a plain scalar is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Plain {
    /// A string to every reader; dates too.
    Text,
    /// JSON text: `null`, `true`, `false` or a number.
    Json,
    /// Different things to different readers; the reason as a fragment.
    Ambiguous(&'static str),
}

/// Reads a plain scalar.
pub fn classify(text: &str) -> Plain {
    match text {
        "null" | "true" | "false" => return Plain::Json,
        "" => return Plain::Ambiguous("an empty value is null to YAML"),
        "~" | "Null" | "NULL" => return Plain::Ambiguous("another spelling of null"),
        "<<" => return Plain::Ambiguous("a merge key to YAML 1.1"),
        "=" => return Plain::Ambiguous("a default value to YAML 1.1"),
        _ => {}
    }
    if is_bool(text) {
        return Plain::Ambiguous("a boolean to YAML 1.1 or 1.2");
    }
    if is_date(text) {
        return Plain::Text;
    }
    if is_timestamp(text) {
        return Plain::Ambiguous("a time to YAML 1.1");
    }
    if is_number(text) {
        return if round_trips(text) {
            Plain::Json
        } else {
            Plain::Ambiguous("a number that readers of YAML and JSON do not write alike")
        };
    }
    Plain::Text
}

fn is_bool(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or(String::new(), |first| {
            first.to_ascii_uppercase().to_string() + letters.as_str()
        })
    };
    ["y", "n", "yes", "no", "true", "false", "on", "off"]
        .iter()
        .any(|word| {
            *word == lower
                && (text == *word || text == word.to_ascii_uppercase() || text == capital(word))
        })
}

/// `2025-06-18`: a date to YAML 1.1, and the name of a revision to us.
fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 10
        && bytes.iter().enumerate().all(|(index, byte)| match index {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

/// A date with a time, or one with short month or day.
fn is_timestamp(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let (Some(year), Some(month), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let digits = |text: &str, most: usize| {
        (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let day = rest
        .find(|character: char| !character.is_ascii_digit())
        .map_or(rest, |end| &rest[..end]);
    let tail = &rest[day.len()..];
    year.len() == 4
        && digits(year, 4)
        && digits(month, 2)
        && digits(day, 2)
        && (tail.is_empty() || tail.starts_with(['T', 't', ' ', '\t']))
}

/// Anything that the integer and float rules of YAML 1.1 or the core schema of YAML 1.2 take.
fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let all = |digits: &str, is: fn(u8) -> bool| {
        !digits.is_empty() && digits.bytes().all(|byte| is(byte) || byte == b'_')
    };
    let decimal = |digits: &str| all(digits, |byte| byte.is_ascii_digit());
    if matches!(
        unsigned,
        ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN"
    ) {
        return true;
    }
    if let Some(digits) = unsigned.strip_prefix("0x") {
        return all(digits, |byte| byte.is_ascii_hexdigit());
    }
    if let Some(digits) = unsigned.strip_prefix("0b") {
        return all(digits, |byte| matches!(byte, b'0' | b'1'));
    }
    if let Some(digits) = unsigned.strip_prefix("0o") {
        return all(digits, |byte| matches!(byte, b'0'..=b'7'));
    }
    if unsigned.contains(':') {
        return is_sexagesimal(unsigned);
    }
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let exponent_fits = exponent.is_none_or(|digits| {
        let digits = digits.strip_prefix(['+', '-']).unwrap_or(digits);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    let starts_right = mantissa.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    let mantissa_fits = match mantissa.split_once('.') {
        None => decimal(mantissa),
        // YAML 1.1 takes further dots in the fraction: `1.2.3` is left to be a string, as every reader in use has it.
        Some((whole, fraction)) => {
            (whole.is_empty() || decimal(whole))
                && (fraction.is_empty() || decimal(fraction))
                && !(whole.is_empty() && fraction.is_empty())
        }
    };
    starts_right && mantissa_fits && exponent_fits
}

/// `1:30`, `20:30.15`: numbers to the base of sixty in YAML 1.1.
fn is_sexagesimal(text: &str) -> bool {
    let mut parts = text.split(':');
    let Some(first) = parts.next() else {
        return false;
    };
    let rest: Vec<&str> = parts.collect();
    let head_fits = first.starts_with(|first: char| first.is_ascii_digit())
        && first
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'_');
    let last = rest.len().saturating_sub(1);
    let tail_fits = rest.iter().enumerate().all(|(index, part)| {
        let digits = match part.split_once('.') {
            Some((whole, fraction)) if index == last => {
                if !fraction
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || byte == b'_')
                {
                    return false;
                }
                whole
            }
            _ => part,
        };
        (1..=2).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && digits.parse::<u8>().is_ok_and(|value| value < 60)
    });
    head_fits && !rest.is_empty() && tail_fits
}

/// Whether a JSON writer gives back these bytes.
fn round_trips(text: &str) -> bool {
    if text.contains(['.', 'e', 'E']) {
        let value: Result<f64, _> = serde_json::from_str(text);
        return value
            .is_ok_and(|value| serde_json::to_string(&value).is_ok_and(|written| written == text));
    }
    text.parse::<i64>()
        .map(|value| value.to_string())
        .or_else(|_| text.parse::<u64>().map(|value| value.to_string()))
        .is_ok_and(|written| written == text)
}

#[cfg(test)]
mod tests {
    use super::{Plain, classify};

    #[test]
    fn plain_scalars_by_table() {
        let json = [
            "null",
            "true",
            "false",
            "0",
            "1",
            "-1",
            "-32601",
            "42",
            "1.5",
            "-0.25",
            "1.0",
            "-32601.0",
            "1e+20",
            "18446744073709551615",
            "-9223372036854775808",
        ];
        let text = [
            "a",
            "tools/call",
            "2025-06-18",
            "0000-00-00",
            "2xx",
            "5xx",
            "1a",
            "-",
            "--",
            "-x",
            "1-2",
            "1.2.3",
            "0.1.0",
            "...",
            "v1",
            "0xZZ",
            "0o9",
            "0b2",
            "e1",
            "1e",
            "1e+",
            "10:99",
            "a:b",
            "12:34x",
            "99:",
            ":5",
            "oN",
            "yEs",
            "nULL",
            "tRUE",
            "nan",
            "inf",
            "NaN",
            "Infinity",
            "$fact",
            "=>",
            "binding:http",
            "2025-03-26..2025-11-25",
            "Y2K",
            "_1",
            "2025-6",
            "no way",
            "io.modelcontextprotocol~1x",
            "é",
            "+",
            "1 2",
        ];
        let ambiguous = [
            "",
            "~",
            "Null",
            "NULL",
            "y",
            "Y",
            "n",
            "N",
            "yes",
            "Yes",
            "YES",
            "no",
            "No",
            "NO",
            "True",
            "TRUE",
            "False",
            "FALSE",
            "on",
            "On",
            "ON",
            "off",
            "Off",
            "OFF",
            "0x1F",
            "1_000",
            "010",
            "00",
            "-0",
            "-00",
            "0o17",
            "0b101",
            "1:30",
            "1:30:15",
            "20:30.15",
            ".5",
            "-.5",
            "5.",
            "1.",
            ".inf",
            "-.inf",
            "+.INF",
            ".nan",
            ".NaN",
            "+1",
            "+1.5",
            "1.50",
            "1e0",
            "1E5",
            "1e5",
            "1e400",
            "1.0e1",
            "-0.0e0",
            "1_0.5",
            "18446744073709551616",
            "-9223372036854775809",
            "<<",
            "=",
            "2025-6-1",
            "2025-06-18T10:00:00Z",
            "2001-12-14 21:59:43.10 -5",
            "0x_",
            "1__0",
        ];
        for case in json {
            assert_eq!(classify(case), Plain::Json, "{case:?}");
        }
        for case in text {
            assert_eq!(classify(case), Plain::Text, "{case:?}");
        }
        for case in ambiguous {
            assert!(
                matches!(classify(case), Plain::Ambiguous(_)),
                "{case:?} is {:?}",
                classify(case)
            );
        }
    }

    #[test]
    fn agrees_with_json_on_what_json_reads() {
        for number in -300..300 {
            assert_eq!(classify(&number.to_string()), Plain::Json);
            let fraction = f64::from(number) / 8.0;
            let text = serde_json::to_string(&fraction).unwrap();
            let expected = if text == "-0.0" {
                classify("-0.0")
            } else {
                Plain::Json
            };
            assert_eq!(classify(&text), expected, "{text}");
        }
    }
}
