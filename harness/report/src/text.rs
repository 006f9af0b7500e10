//! Text from the target is data: it is shown, never obeyed. Escaping, measuring, cutting and wrapping for people.

use std::borrow::Cow;
use std::fmt::Write as _;
use unicode_width::UnicodeWidthChar;

/// The text with every character that could hide, move, colour or break a line written out as an escape.
///
/// **Shape**: one line, whatever came in. Escapes are those of JSON (`\n`, `\u001b`); beyond U+FFFF `\u{e0041}`. A backslash
/// stays as it is, so that JSON reads as it was sent.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hazard) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_hazard(c) {
            escape(c, &mut out);
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Writes one character as an escape.
pub(crate) fn escape(c: char, out: &mut String) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c if u32::from(c) <= 0xFFFF => {
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        }
        c => {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        }
    }
}

/// Whether a character is invisible, or does something to the text around it: controls, line breaks, direction, zero width, tags.
pub(crate) fn is_hazard(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Bytes as visible text: what is no UTF-8 becomes `\xff`.
pub(crate) fn visible_bytes(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(&visible(chunk.valid()));
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

fn columns_of(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// Columns that a text takes on a terminal.
pub(crate) fn columns(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

/// A number with its thousands apart.
pub(crate) fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The text in at most so many columns; where it is longer, its middle is cut out and the number of missing characters stands there.
pub(crate) fn cut(text: &str, limit: usize) -> Cow<'_, str> {
    if columns(text) <= limit {
        return Cow::Borrowed(text);
    }
    let total = text.chars().count() as u64;
    // The marker is measured with the greatest number it can hold, so that the line never grows over the limit.
    let marker = columns(&missing(total));
    let room = limit.saturating_sub(marker);
    let head = take(text.chars(), room - room / 3);
    let tail = take(text.chars().rev(), room / 3);
    let gone = total - head.0 as u64 - tail.0 as u64;
    let from_end: String = tail.1.chars().rev().collect();
    Cow::Owned(format!("{}{}{from_end}", head.1, missing(gone)))
}

fn missing(characters: u64) -> String {
    format!(" …{} more… ", number(characters))
}

fn take(chars: impl Iterator<Item = char>, room: usize) -> (usize, String) {
    let mut used = 0;
    let mut taken = String::new();
    let mut count = 0;
    for c in chars {
        used += columns_of(c);
        if used > room {
            break;
        }
        taken.push(c);
        count += 1;
    }
    (count, taken)
}

/// The text in lines of at most so many columns, broken at spaces where there are any.
///
/// **Shape**: at least one line, which may be empty; no line holds a line break.
pub(crate) fn wrap(text: &str, limit: usize) -> Vec<String> {
    let limit = limit.max(2);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split_inclusive(' ') {
        let bare = columns(word.trim_end_matches(' '));
        if used > 0 && used + bare > limit {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        for c in word.chars() {
            let wide = columns_of(c);
            if used + wide > limit {
                // Spaces that stand at the edge are dropped with the break that replaces them.
                if c == ' ' {
                    continue;
                }
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push(c);
            used += wide;
        }
    }
    lines.push(line);
    for line in &mut lines {
        line.truncate(line.trim_end_matches(' ').len());
    }
    lines
}

/// A count and its noun: `1 result`, `2 results`.
pub(crate) fn count(n: u64, one: &str) -> String {
    match n {
        1 => format!("1 {one}"),
        n => format!("{} {one}s", number(n)),
    }
}

/// Milliseconds for people: `312 ms`, `3.2 s`, `2 min 05 s`.
pub(crate) fn duration_ms(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        ms => format!("{} min {:02} s", ms / 60_000, ms % 60_000 / 1_000),
    }
}

/// Microseconds since the start of a connection, always in the same ten columns.
pub(crate) fn offset_us(us: u64) -> String {
    match us {
        0..10_000_000 => format!("{:>7}.{} ms", us / 1_000, us % 1_000 / 100),
        us => format!("{:>7}.{}  s", us / 1_000_000, us % 1_000_000 / 100_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn controls_escapes_and_direction_are_written_out() {
        assert_eq!(
            visible("a\u{1b}[31m\nexit 0\r\u{202e}\u{2066}\u{200b}\u{9b}é漢"),
            "a\\u001b[31m\\nexit 0\\r\\u202e\\u2066\\u200b\\u009bé漢"
        );
        assert_eq!(visible("\u{e0041}"), "\\u{e0041}");
        assert_eq!(visible_bytes(b"ok\xff\x1b"), "ok\\xff\\u001b");
    }

    #[test]
    fn a_cut_says_how_much_is_missing() {
        let text = "x".repeat(1_000);
        assert_eq!(
            cut(&text, 30),
            format!("{}{}{}", "x".repeat(11), " …984 more… ", "x".repeat(5))
        );
        assert_eq!(cut("short", 30), "short");
    }

    #[test]
    fn wrapping_keeps_words_and_breaks_what_is_too_long() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("", 4), [""]);
    }

    #[test]
    fn times_and_numbers_read_well() {
        assert_eq!(number(1_234_567), "1,234,567");
        assert_eq!(duration_ms(3_250), "3.2 s");
        assert_eq!(duration_ms(125_000), "2 min 05 s");
        assert_eq!(offset_us(1_234).len(), offset_us(99_000_000).len());
    }

    proptest! {
        #[test]
        fn nothing_that_comes_out_is_a_hazard_or_too_wide(text in any::<String>(), limit in 20_usize..120) {
            let shown = visible(&text);
            prop_assert!(!shown.contains(is_hazard));
            prop_assert!(columns(&cut(&shown, limit)) <= limit);
            for line in wrap(&shown, limit) {
                prop_assert!(columns(&line) <= limit);
            }
        }

        #[test]
        fn wrapping_loses_nothing_but_spaces(text in any::<String>(), limit in 20_usize..120) {
            let shown = visible(&text);
            let bare = |text: &str| text.chars().filter(|c| *c != ' ').collect::<String>();
            prop_assert_eq!(bare(&wrap(&shown, limit).concat()), bare(&shown));
        }
    }
}
