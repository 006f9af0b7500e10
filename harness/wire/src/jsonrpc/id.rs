//! Ids, compared as they were written.

use crate::decimal::Decimal;
use crate::scan::Scanner;

/// Raw text of a JSON-RPC id, as it was sent: `1`, `1.0`, `"1"`, `null`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RawId(pub String);

impl RawId {
    /// Whether two ids would be taken for the same by a lenient reader: `1`, `1.0`, `1e0` and `"1"`; `"a"` and `"\u0061"`.
    ///
    /// Numbers are compared exactly, a number and a string by the number the string spells, two strings by their content. So `1` equals
    /// `"1"` and `"1.0"`, while these two strings differ. Whatever else is equal only by its text.
    pub fn loosely_equals(&self, other: &RawId) -> bool {
        if self.0 == other.0 {
            return true;
        }
        match (Loose::of(&self.0), Loose::of(&other.0)) {
            (Loose::Number(a), Loose::Number(b)) => a == b,
            (Loose::Text(a), Loose::Text(b)) => a == b,
            (Loose::Text(text), Loose::Number(number))
            | (Loose::Number(number), Loose::Text(text)) => Decimal::parse(&text) == Some(number),
            (Loose::Other, _) | (_, Loose::Other) => false,
        }
    }

    /// Whether the raw text is `null`.
    pub fn is_null(&self) -> bool {
        self.0 == "null"
    }
}

/// An id as a lenient reader takes it.
enum Loose<'t> {
    Number(Decimal<'t>),
    Text(std::borrow::Cow<'t, str>),
    Other,
}

impl<'t> Loose<'t> {
    fn of(raw: &'t str) -> Self {
        if !raw.starts_with('"') {
            return Decimal::parse(raw).map_or(Loose::Other, Loose::Number);
        }
        let mut scanner = Scanner::new(raw, 0);
        match scanner.string() {
            // Different lone surrogates would read as the same replacement character.
            Ok(text) if scanner.at == raw.len() && scanner.lone_surrogates.is_empty() => {
                Loose::Text(text)
            }
            _ => Loose::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lenient_equality_over_all_pairs_of_forms() {
        // Ids of one group are equal to each other, and to none of another group.
        let groups: &[&[&str]] = &[
            &["1", "1.0", "1e0", "10E-1", "\"1\""],
            &["2", "\"\\u0032\""],
            &["0", "-0", "0.0"],
            &["9007199254740992"],
            &["9007199254740993", "9007199254740993.0"],
            &["1e999999999", "10e999999998"],
            &["1e99999999999999999999"],
            &["\"a\"", "\"\\u0061\""],
            &["\"\""],
            &["\" 1\""],
            &["\"01\""],
            &["\"\\ud800\""],
            &["\"\\ud801\""],
            &["null"],
            &["\"null\""],
            &["true"],
            &["{}"],
            &["[1]"],
            &["\"open"],
            &["1 "],
        ];
        for (i, group) in groups.iter().enumerate() {
            for (j, others) in groups.iter().enumerate() {
                for a in *group {
                    for b in *others {
                        let equals = RawId(a.to_string()).loosely_equals(&RawId(b.to_string()));
                        assert_eq!(equals, i == j, "{a} and {b}");
                    }
                }
            }
        }
    }

    #[test]
    fn strings_that_spell_the_same_number_differ_from_each_other() {
        let id = |text: &str| RawId(text.to_owned());
        assert!(id("1").loosely_equals(&id("\"1.0\"")));
        assert!(!id("\"1\"").loosely_equals(&id("\"1.0\"")));
    }
}
