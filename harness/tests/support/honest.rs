//! What an honest server of a few lines answers, on whatever binding.

use serde_json::{Value, json};

/// The answer that is due; `None` where none is.
pub fn answer(asked: &Value) -> Option<Value> {
    let error = |code: i32, message: &str, id: &Value| {
        Some(json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } }))
    };
    let id = &asked["id"];
    let Some(method) = asked["method"]
        .as_str()
        .filter(|_| asked["jsonrpc"] == "2.0")
    else {
        return if asked.is_null() {
            error(-32700, "no JSON", &Value::Null)
        } else {
            error(-32600, "no request", &Value::Null)
        };
    };
    // A notification has no id, and gets no answer.
    asked.get("id")?;
    if !(id.is_string() || id.is_number())
        || !(asked["params"].is_null() || asked["params"].is_object())
    {
        return error(-32600, "no request", id);
    }
    let known = ["2024-11-05", "2025-03-26", "2025-06-18"];
    let offered = asked
        .pointer("/params/protocolVersion")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let result = match method {
        "initialize" => json!({
            "protocolVersion": if known.contains(&offered) { offered } else { "2025-11-25" },
            "capabilities": {},
            "serverInfo": { "name": "hostile-target", "version": "1" },
        }),
        "ping" => json!({}),
        _ => return error(-32601, "no such method", id),
    };
    Some(json!({ "jsonrpc": "2.0", "id": id, "result": result }))
}
