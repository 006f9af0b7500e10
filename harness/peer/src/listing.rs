//! What every listed thing gained over the revisions: a title, then icons.

use crate::content;
use mcp_assay_model::protocol::Revision;
use serde_json::{Value, json};

/// Adds `title`, a name for people, from 2025-06-18 on.
pub(crate) fn add_title(entry: &mut Value, revision: Revision, title: &str) {
    if revision >= Revision::R2025_06_18 {
        entry["title"] = json!(title);
    }
}

/// Adds `icons` from 2025-11-25 on.
pub(crate) fn add_icon(entry: &mut Value, revision: Revision) {
    if revision >= Revision::R2025_11_25 {
        let src = format!("data:image/png;base64,{}", content::PNG_BASE64);
        entry["icons"] = json!([{ "src": src, "mimeType": "image/png", "sizes": ["1x1"] }]);
    }
}
