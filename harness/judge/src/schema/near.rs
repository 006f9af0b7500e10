//! Names and values that are nearly others: typing errors, other spellings.

/// Characters of a name that are compared; what is longer is no typing error.
const LONGEST: usize = 64;

/// The known name that another most likely meant: the same but for case and separators, or a letter or two away.
pub(super) fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    if name.len() > LONGEST {
        return None;
    }
    let plain = plain(name);
    known
        .into_iter()
        .filter(|candidate| *candidate != name && candidate.len() <= LONGEST)
        .filter_map(|candidate| {
            let other = self::plain(candidate);
            let distance = strsim::damerau_levenshtein(&plain, &other);
            let allowed = match plain.len().min(other.len()) {
                0..=3 => 0,
                4..=7 => 1,
                _ => 2,
            };
            (distance <= allowed).then_some((distance, candidate))
        })
        .min()
        .map(|(_, candidate)| candidate)
}

/// A name without what spellings differ in.
fn plain(name: &str) -> String {
    name.chars()
        .filter(|letter| !['_', '-', '.', ' '].contains(letter))
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn other_spellings_and_typing_errors_are_near() {
        let known = ["nextCursor", "tools", "uri", "_meta", "mimeType"];
        for (name, expected) in [
            ("nextcursor", Some("nextCursor")),
            ("next_cursor", Some("nextCursor")),
            ("nextCurosr", Some("nextCursor")),
            ("toolz", Some("tools")),
            ("URI", Some("uri")),
            ("url", None),
            ("meta", Some("_meta")),
            ("mime", None),
            ("tools", None),
            ("", None),
            ("description", None),
        ] {
            assert_eq!(nearest(name, known), expected, "{name}");
        }
        assert_eq!(nearest(&"t".repeat(100_000), known), None);
    }
}
