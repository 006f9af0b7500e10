//! The lexer: cursor, white space, strings, numbers and literals of one JSON text.
//!
//! Everything above it (the builder of values and the walker of events) shares these rules, so what is a JSON text is decided once.

use std::borrow::Cow;

/// Notes of one kind that are kept; the rest of a hostile text would only repeat them.
pub(crate) const MAX_NOTES: usize = 8;

/// U+FEFF in UTF-8, which some writers put before the first byte.
pub(crate) const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Where a text stops being JSON, or stops being worth reading.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Fault {
    /// Offset within the text.
    pub at: usize,
    /// What was expected there; `None`: the text holds more values than are built.
    pub expected: Option<&'static str>,
}

/// A cursor over a JSON text.
#[derive(Clone, Debug)]
pub(crate) struct Scanner<'t> {
    text: &'t str,
    /// Offset of the next byte.
    pub at: usize,
    /// Offsets of the first escapes that are halves of a surrogate pair.
    pub lone_surrogates: Vec<usize>,
}

impl<'t> Scanner<'t> {
    pub fn new(text: &'t str, at: usize) -> Self {
        Scanner {
            text,
            at,
            lone_surrogates: Vec::new(),
        }
    }

    #[inline]
    pub fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte behind white space.
    #[inline]
    pub fn peek_token(&mut self) -> Option<u8> {
        loop {
            match self.peek() {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                other => return other,
            }
        }
    }

    pub fn fault<T>(&self, expected: &'static str) -> Result<T, Fault> {
        Err(Fault {
            at: self.at,
            expected: Some(expected),
        })
    }

    /// Passes one byte behind white space.
    #[inline]
    pub fn pass(&mut self, byte: u8, expected: &'static str) -> Result<(), Fault> {
        if self.peek_token() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            self.fault(expected)
        }
    }

    /// Passes the end of the text behind white space.
    pub fn pass_end(&mut self) -> Result<(), Fault> {
        match self.peek_token() {
            None => Ok(()),
            Some(_) => self.fault("the end of the text"),
        }
    }

    /// Passes `true`, `false` or `null`.
    pub fn literal(&mut self, word: &'static str) -> Result<(), Fault> {
        for byte in word.bytes() {
            if self.peek() != Some(byte) {
                return self.fault(word);
            }
            self.at += 1;
        }
        Ok(())
    }

    /// Passes a number and returns its text.
    pub fn number(&mut self) -> Result<&'t str, Fault> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        // A leading zero stands alone; a digit behind it is a fault of whoever expects what follows the number.
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(&self.text[start..self.at])
    }

    fn digits(&mut self) -> Result<(), Fault> {
        if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return self.fault("a digit");
        }
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        Ok(())
    }

    /// Passes a string, from its opening quote, and returns its content; a lone surrogate is noted and reads as U+FFFD.
    #[inline]
    pub fn string(&mut self) -> Result<Cow<'t, str>, Fault> {
        let start = self.at + 1;
        self.at = plain_end(self.text.as_bytes(), start);
        if self.peek() == Some(b'"') {
            self.at += 1;
            return Ok(Cow::Borrowed(&self.text[start..self.at - 1]));
        }
        self.escaped_string(start).map(Cow::Owned)
    }

    #[cold]
    fn escaped_string(&mut self, start: usize) -> Result<String, Fault> {
        let mut content = String::new();
        let mut piece = start;
        loop {
            content.push_str(&self.text[piece..self.at]);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(content);
                }
                Some(b'\\') => content.push(self.escape()?),
                Some(_) => return self.fault("an escape in place of a control character"),
                None => return self.fault("the end of the string"),
            }
            piece = self.at;
            self.at = plain_end(self.text.as_bytes(), piece);
        }
    }

    fn escape(&mut self) -> Result<char, Fault> {
        let start = self.at;
        self.at += 1;
        let plain = match self.peek() {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode_escape(start);
            }
            _ => return self.fault("an escape"),
        };
        self.at += 1;
        Ok(plain)
    }

    /// Decodes what follows `\u`; a high surrogate takes a second escape with it only where that is its low half.
    fn unicode_escape(&mut self, start: usize) -> Result<char, Fault> {
        let unit = self.hex_unit()?;
        if let Some(decoded) = char::from_u32(unit) {
            return Ok(decoded);
        }
        let behind = self.at;
        if unit < 0xdc00 && self.text.as_bytes()[behind..].starts_with(b"\\u") {
            self.at += 2;
            let low = self.hex_unit()?;
            if (0xdc00..0xe000).contains(&low) {
                let code = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                return Ok(char::from_u32(code).expect("a surrogate pair is a scalar value"));
            }
            self.at = behind;
        }
        if self.lone_surrogates.len() < MAX_NOTES {
            self.lone_surrogates.push(start);
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn hex_unit(&mut self) -> Result<u32, Fault> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else {
                return self.fault("four hexadecimal digits");
            };
            unit = unit * 16 + digit;
            self.at += 1;
        }
        Ok(unit)
    }
}

/// Offset of the first byte from `at` on that ends a run of plain characters; the length where there is none.
#[inline]
fn plain_end(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = u64::from_le_bytes([0x01; 8]);
    const HIGHS: u64 = u64::from_le_bytes([0x80; 8]);
    // A byte lane underflows where it was zero. A borrow can only spoil lanes above a true hit, and only the lowest is read.
    let zero_lanes = |word: u64| word.wrapping_sub(ONES) & !word;
    // Keys and names end within a few words; what is longer is worth the start of the wide loop.
    let mut words = 0;
    while let Some(chunk) = bytes.get(at..at + 8) {
        let word = u64::from_le_bytes(chunk.try_into().expect("the slice has eight bytes"));
        let quote = zero_lanes(word ^ (ONES * u64::from(b'"')));
        let backslash = zero_lanes(word ^ (ONES * u64::from(b'\\')));
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let hits = (quote | backslash | control) & HIGHS;
        if hits != 0 {
            return at + (hits.trailing_zeros() / 8) as usize;
        }
        at += 8;
        words += 1;
        if words == 8 {
            at = skip_plain_blocks(bytes, at);
            words = 0;
        }
    }
    while bytes.get(at).is_some_and(|&byte| !ends_plain_run(byte)) {
        at += 1;
    }
    at
}

/// Passes whole blocks without a stop; written so that the compiler uses vector instructions.
#[inline(never)]
fn skip_plain_blocks(bytes: &[u8], at: usize) -> usize {
    const BLOCK: usize = 64;
    let (blocks, _) = bytes[at..].as_chunks::<BLOCK>();
    let is_plain =
        |block: &&[u8; BLOCK]| !block.iter().fold(false, |hit, &b| hit | ends_plain_run(b));
    at + BLOCK * blocks.iter().take_while(is_plain).count()
}

/// Whether a byte is a quote, a backslash or a control character.
#[inline]
fn ends_plain_run(byte: u8) -> bool {
    (byte == b'"') | (byte == b'\\') | (byte < 0x20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_run_ends_for_every_byte_in_every_place() {
        for place in 0..300 {
            for byte in 0..=255_u8 {
                let mut bytes = [b'x'; 300];
                bytes[place] = byte;
                let is_stop = byte == b'"' || byte == b'\\' || byte < 0x20;
                let expected = if is_stop { place } else { bytes.len() };
                assert_eq!(plain_end(&bytes, 0), expected, "{byte:#x} at {place}");
            }
        }
    }

    #[test]
    fn decodes_every_escape() {
        let mut scanner = Scanner::new(r#""\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00-""#, 0);
        assert_eq!(
            scanner.string().expect("a JSON string"),
            "\"\\/\u{8}\u{c}\n\r\té\u{1f600}-"
        );
        assert!(scanner.lone_surrogates.is_empty());
    }

    #[test]
    fn a_lone_surrogate_takes_nothing_with_it() {
        for (text, content, at) in [
            (r#""\ud800""#, "\u{fffd}", vec![1]),
            (r#""\udc00""#, "\u{fffd}", vec![1]),
            (r#""\ud800\u0061""#, "\u{fffd}a", vec![1]),
            (r#""\ud800\n""#, "\u{fffd}\n", vec![1]),
            (r#""\ud800\ud83d\ude00""#, "\u{fffd}\u{1f600}", vec![1]),
            (r#""\udc00\ud800""#, "\u{fffd}\u{fffd}", vec![1, 7]),
            (r#""\udc00\udc00""#, "\u{fffd}\u{fffd}", vec![1, 7]),
            (r#""\udfff\udfff""#, "\u{fffd}\u{fffd}", vec![1, 7]),
            (r#""\udc00\ud800\u0061""#, "\u{fffd}\u{fffd}a", vec![1, 7]),
        ] {
            let mut scanner = Scanner::new(text, 0);
            assert_eq!(scanner.string().expect("a JSON string"), content, "{text}");
            assert_eq!(scanner.lone_surrogates, at, "{text}");
        }
    }
}
