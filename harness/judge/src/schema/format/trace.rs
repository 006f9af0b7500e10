//! `tracestate` of W3C Trace Context and `baggage` of W3C Baggage: lists of keys with values.
//!
//! Both editions of the first are accepted: the later one lets keys begin with a digit. Empty members, and so an empty list, are taken.

use super::is_tchar;

/// Members that a `tracestate` may have.
const STATES: usize = 32;

/// Whether a text is a `tracestate`.
pub(super) fn is_tracestate(text: &str) -> bool {
    let members: Vec<&str> = members(text).collect();
    members.len() <= STATES
        && members.iter().all(|member| {
            member
                .split_once('=')
                .is_some_and(|(key, value)| is_state_key(key) && is_state(value))
        })
}

/// Whether a text is a `baggage`.
pub(super) fn is_baggage(text: &str) -> bool {
    members(text).all(|member| {
        let mut parts = member.split(';');
        let entry = parts.next().unwrap_or_default();
        is_entry(entry) && parts.all(|part| is_token(part.trim()) || is_entry(part))
    })
}

fn members(text: &str) -> impl Iterator<Item = &str> {
    let trimmed = text
        .split(',')
        .map(|member| member.trim_matches([' ', '\t']));
    trimmed.filter(|member| !member.is_empty())
}

fn is_state_key(key: &str) -> bool {
    let is_first = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_part = |part: &str, most: usize| {
        part.len() <= most
            && part.bytes().next().is_some_and(is_first)
            && part
                .bytes()
                .all(|byte| is_first(byte) || b"_-*/".contains(&byte))
    };
    match key.split_once('@') {
        None => is_part(key, 256),
        Some((tenant, system)) => is_part(tenant, 241) && is_part(system, 14),
    }
}

fn is_state(value: &str) -> bool {
    let is_octet = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b'=';
    (1..=256).contains(&value.len()) && value.bytes().all(is_octet)
}

fn is_entry(text: &str) -> bool {
    text.split_once('=').is_some_and(|(key, value)| {
        let is_octet = |byte: u8| (b'!'..=b'~').contains(&byte) && !b"\"\\".contains(&byte);
        is_token(key.trim()) && value.trim().bytes().all(is_octet)
    })
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_tchar)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tracestate_is_a_list_of_keys_with_values() {
        for text in [
            "",
            "rojo=00f067aa0ba902b7",
            "rojo=1,congo=t61 x",
            "fw529a3039@dt=FfAAw , , 1a-_*/b=!",
        ] {
            assert!(is_tracestate(text), "{text:?}");
        }
        let many = vec!["a=1"; 33].join(",");
        for text in [
            "rojo", "Rojo=1", "rojo=", "a=b=c", "a=é", "@dt=1", "a b=1", &many,
        ] {
            assert!(!is_tracestate(text), "{text:?}");
        }
    }

    #[test]
    fn a_baggage_is_a_list_of_tokens_with_values_and_properties() {
        for text in [
            "",
            "userId=alice",
            "a=1 , b=%20;p=v;q",
            "key1=value1;property1;property2, key2 = value2",
            "empty=",
        ] {
            assert!(is_baggage(text), "{text:?}");
        }
        for text in ["alice", "a b=1", "a=\"1\"", "a=1 2", "=1", "a=é", "a=1;;"] {
            assert!(!is_baggage(text), "{text:?}");
        }
    }
}
