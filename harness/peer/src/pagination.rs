//! Pages of a list, and cursors that lead to the next.
//!
//! **Source**: `2024-11-05/server/utilities/pagination`. A cursor is opaque: it holds the list and the place, with a check sum, so that
//! one that was altered, invented or taken from another list is refused with -32602.

use crate::error::RpcError;
use crate::incoming::Params;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

/// The page of `entries` that the parameters ask for, as the result of a list method: the entries under `key`, and `nextCursor` unless
/// it is the last.
///
/// **Errors**: -32602 for a cursor that this list did not issue.
pub(crate) fn page(
    key: &str,
    entries: Vec<Value>,
    params: Params<'_>,
    size: usize,
) -> Result<Value, RpcError> {
    let end = entries.len();
    numbered_page(
        key,
        entries.into_iter().enumerate().collect(),
        end,
        params,
        size,
    )
}

/// The same for entries that come and go, each with a number that stays its own; `end` is above them all. A cursor leads to a number, so
/// that who walks misses none that stays.
pub(crate) fn numbered_page(
    key: &str,
    entries: Vec<(usize, Value)>,
    end: usize,
    params: Params<'_>,
    size: usize,
) -> Result<Value, RpcError> {
    let start = match params.string("cursor")? {
        None => 0,
        Some(cursor) => read_cursor(key, cursor)
            .filter(|start| *start < end)
            .ok_or_else(|| RpcError::invalid_params("Invalid cursor"))?,
    };
    let mut rest = entries
        .into_iter()
        .skip_while(|(number, _)| *number < start);
    let page: Vec<Value> = rest
        .by_ref()
        .take(size.max(1))
        .map(|(_, entry)| entry)
        .collect();
    let mut result = Map::new();
    result.insert(key.to_owned(), Value::Array(page));
    if let Some((next, _)) = rest.next() {
        let cursor = write_cursor(key, next);
        result.insert("nextCursor".to_owned(), Value::String(cursor));
    }
    Ok(Value::Object(result))
}

fn write_cursor(key: &str, start: usize) -> String {
    let place = format!("{key}:{start}");
    URL_SAFE_NO_PAD.encode(format!("{place}:{:08x}", check_sum(&place)))
}

/// The place a cursor leads to. Only what [`write_cursor`] would write again is a cursor, so no other spelling of one passes.
fn read_cursor(key: &str, cursor: &str) -> Option<usize> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let start = text.strip_prefix(key)?.strip_prefix(':')?;
    let start = start.split(':').next()?.parse().ok()?;
    (write_cursor(key, start) == cursor).then_some(start)
}

/// FNV-1a. No secret: it tells an altered cursor, not a forged one.
fn check_sum(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |sum, byte| {
        (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn get(key: &str, total: usize, cursor: Value) -> Result<Value, RpcError> {
        let params = json!({ "cursor": cursor });
        let params = Params(params.as_object().filter(|p| !p["cursor"].is_null()));
        page(key, (0..total).map(Value::from).collect(), params, 3)
    }

    #[test]
    fn a_walk_gives_every_entry_once() {
        for total in 0..10 {
            let mut seen = Vec::new();
            let mut cursor = Value::Null;
            loop {
                let page = get("tools", total, cursor).unwrap();
                seen.extend(page["tools"].as_array().unwrap().clone());
                cursor = page["nextCursor"].clone();
                if cursor.is_null() {
                    break;
                }
            }
            assert_eq!(seen, (0..total).map(Value::from).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_walk_misses_no_entry_that_stays() {
        let entries = |numbers: &[usize]| numbers.iter().map(|n| (*n, json!(n))).collect();
        let page = |numbers: &[usize], cursor: Option<&Value>| {
            let params = json!({ "cursor": cursor });
            let params = Params(params.as_object().filter(|_| cursor.is_some()));
            numbered_page("tasks", entries(numbers), 10, params, 2).unwrap()
        };
        let first = page(&[1, 2, 4, 5, 9], None);
        assert_eq!(first["tasks"], json!([1, 2]));
        let cursor = Some(&first["nextCursor"]);
        assert_eq!(page(&[2, 5, 9], cursor)["tasks"], json!([5, 9]));
        let last = page(&[2], cursor);
        assert_eq!(last, json!({ "tasks": [] }));
    }

    #[test]
    fn rejects_a_cursor_that_this_list_did_not_issue() {
        let cursor = get("tools", 7, Value::Null).unwrap()["nextCursor"].clone();
        let text = cursor.as_str().unwrap();
        assert!(get("tools", 7, cursor.clone()).is_ok());
        assert!(get("prompts", 7, cursor.clone()).is_err());
        assert!(get("tools", 3, cursor.clone()).is_err());
        for other in ["", "x", &text[1..], &format!("{text}="), "dG9vbHM6Mw"] {
            assert!(get("tools", 7, json!(other)).is_err(), "{other}");
        }
        assert!(get("tools", 7, json!(3)).is_err());
    }
}
