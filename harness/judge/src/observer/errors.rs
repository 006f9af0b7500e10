//! Errors: codes that the specification keeps for itself or gives a meaning, and texts of one line.

use super::dialogue::{Asked, Came, Said};
use super::{Observer, Rule, Sightings, Watch};
use crate::place::Place;
use crate::text;
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::protocol::{Binding, Era, Revision};
use mcp_assay_model::scenario::Basis;
use serde_json::Value;
use std::collections::HashMap;

const CODES: &str = "codes";
const MEANINGS: &str = "meanings";
const ONE_LINE: &str = "one-line";
const OWN_RANGE: &str = "own-range";
const UNASSIGNED: &str = "unassigned";

/// Watches the codes and the texts of errors.
#[derive(Clone, Copy, Debug)]
pub(super) struct Codes;

impl Observer for Codes {
    fn name(&self) -> &'static str {
        "errors"
    }

    fn rules(&self) -> &'static [Rule] {
        const {
            &[
                Rule::of_servers(
                    CODES,
                    "no retired and no reserved error code is used",
                    "an error has none of the codes that earlier revisions used (-32002, -32042), nor one from -32020 to -32099 that the specification does not define",
                    &[
                        "2026-07-28/basic/index#error-codes.4",
                        "2026-07-28/basic/index#error-codes.6",
                    ],
                )
                .since(Revision::R2026_07_28),
                Rule::of_servers(
                    MEANINGS,
                    "codes of the specification mean what it says",
                    "an error of -32020 answers a request over HTTP, whose header fields are wrong; one of -32022 a request of a version that the server does not list as supported",
                    &["2026-07-28/basic/index#error-codes.5"],
                )
                .since(Revision::R2026_07_28),
                Rule::of_servers(
                    ONE_LINE,
                    "the text of an error is one line",
                    "the message of an error is one sentence: it has no line breaks",
                    &["2024-11-05/schema#jsonrpcerror-message.1"],
                ),
                Rule::of_servers(
                    OWN_RANGE,
                    "codes of a server's own are outside of the reserved range",
                    "an error code that the specification does not define is not in the range that JSON-RPC reserves, from -32768 to -32000",
                    &["2026-07-28/basic/index#error-codes.8"],
                )
                .since(Revision::R2026_07_28),
                Rule {
                    basis: Basis::Robustness,
                    ..Rule::of_servers(
                        UNASSIGNED,
                        "no error code is used that JSON-RPC keeps for later",
                        "JSON-RPC reserves -32768 to -32000, gives a meaning to five of these codes, and leaves -32099 to -32000 to servers; the rest may come to mean something else",
                        &[],
                    )
                }
                .until(Revision::R2025_11_25),
            ]
        }
    }

    fn watch(&self, revision: Revision, binding: Binding) -> Option<Box<dyn Watch>> {
        Some(Box::new(Errors {
            is_modern: revision.era() == Era::Modern,
            revision,
            has_headers: binding == Binding::Http,
            supported: HashMap::new(),
        }))
    }
}

struct Errors {
    is_modern: bool,
    revision: Revision,
    /// Whether requests have header fields.
    has_headers: bool,
    /// Connections on which a result listed the revision among those that are supported.
    supported: HashMap<String, bool>,
}

impl Watch for Errors {
    fn see(&mut self, said: &Said<'_>, sightings: &mut Sightings) {
        let Some(came) = said.came() else {
            return;
        };
        if self.is_modern
            && let Some(Value::Array(versions)) = came.message.value.at("/result/supportedVersions")
        {
            let is_ours = |version: &Value| *version == self.revision.as_str();
            let is_supported = versions.iter().any(is_ours);
            let place = came.entry.connection.clone();
            self.supported.insert(place, is_supported);
        }
        let Some(error) = came.message.value.member("error") else {
            return;
        };
        one_line(&came, error, sightings);
        let code = error.get("code").and_then(Value::as_i64);
        let (Some(asked), Some(code)) = (came.answers(), code) else {
            return;
        };
        if self.is_modern {
            reserved(&came, asked, code, sightings);
            later(&came, asked, (OWN_RANGE, code), sightings);
            self.meanings(&came, asked, code, sightings);
        } else {
            later(&came, asked, (UNASSIGNED, code), sightings);
        }
    }
}

fn one_line(came: &Came<'_>, error: &Value, sightings: &mut Sightings) {
    let Some(text) = error.get("message").and_then(Value::as_str) else {
        return;
    };
    sightings.judge(ONE_LINE);
    let lines = text.trim_end().lines().count();
    if lines > 1 {
        let method = came.answers().map_or("", |asked| asked.method.as_str());
        let message = format!(
            "the text of an error has {lines} lines: {}",
            text::cut(text)
        );
        let finding = Finding::new(FindingCode::Value, message)
            .expected("one sentence on one line")
            .actual(text)
            .at(came.entry.seq, "/error/message");
        sightings.find(ONE_LINE, method, "/error/message", finding);
    }
}

fn reserved(came: &Came<'_>, asked: &Asked, code: i64, sightings: &mut Sightings) {
    sightings.judge(CODES);
    let why = match code {
        -32002 | -32042 => "an earlier revision used",
        -32022..=-32020 => return,
        -32099..=-32020 => "the specification keeps for itself and does not define",
        _ => return,
    };
    let expected =
        "a code of JSON-RPC, one that this revision defines, or one outside of the reserved range";
    found(came, asked, (CODES, code, why), expected, sightings);
}

/// A code that JSON-RPC keeps for later. What else is reserved has rules of its own.
fn later(
    came: &Came<'_>,
    asked: &Asked,
    (rule, code): (&'static str, i64),
    sightings: &mut Sightings,
) {
    sightings.judge(rule);
    if (-32768..=-32100).contains(&code) && !matches!(code, -32700 | -32603..=-32600) {
        let why = "JSON-RPC reserves and gives no meaning";
        let expected = match rule {
            OWN_RANGE => "a code outside of -32768 to -32000",
            _ => {
                "a code with a meaning, one from -32099 to -32000, or one outside of -32768 to -32000"
            }
        };
        found(came, asked, (rule, code, why), expected, sightings);
    }
}

fn found(
    came: &Came<'_>,
    asked: &Asked,
    (rule, code, why): (&'static str, i64, &str),
    expected: &str,
    sightings: &mut Sightings,
) {
    let message = format!(
        "an error of `{}` has the code {code}, which {why}",
        asked.method
    );
    let finding = Finding::new(FindingCode::Value, message)
        .expected(expected)
        .actual(code.to_string())
        .at(came.entry.seq, "/error/code");
    sightings.find(rule, &asked.method, "/error/code", finding);
}

impl Errors {
    fn meanings(&self, came: &Came<'_>, asked: &Asked, code: i64, sightings: &mut Sightings) {
        let is_supported = self.supported.get(&came.entry.connection) == Some(&true);
        let (why, expected) = match code {
            -32020 if !self.has_headers => (
                "speaks of HTTP header fields, and there are none",
                "another code",
            ),
            -32022 if is_supported => (
                "says that the version is not supported, which server/discover lists",
                "an answer by the version that was asked in",
            ),
            -32022..=-32020 => {
                sightings.judge(MEANINGS);
                return;
            }
            _ => return,
        };
        sightings.judge(MEANINGS);
        found(came, asked, (MEANINGS, code, why), expected, sightings);
    }
}

#[cfg(test)]
mod tests;
