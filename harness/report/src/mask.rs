//! Secrets are masked in every output, before any reporter sees them (docs/contracts.md section 3).
//!
//! Two ways, because neither is enough: strings known to be secret (header values, environment values, tokens of the profile)
//! wherever they turn up, also reflected by the target; and shapes that secrets have, known or not (`mask/shape.rs`).

mod shape;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mcp_assay_model::event::{ConversationEnd, Event, Noted, RunFinished, RunStarted, TargetFacts};
use mcp_assay_model::finding::Finding;
use mcp_assay_model::result::{CheckResult, HttpFacts, TranscriptEntry};
use serde_json::{Map, Value};
use shape::{is_sensitive, mask_shapes};

/// What stands where a secret stood.
pub(crate) const MASKED: &str = "***";
/// Known secrets that are shorter are not looked for: `1` or `true` as a secret would blank the evidence and protect nothing.
const SHORTEST: usize = 6;
/// A text that was cut off may end in a piece of a secret; from this length on the piece is masked.
const SHORTEST_PIECE: usize = 4;

/// Takes secrets out of events.
///
/// **Shape**: ids, case ids, revisions and counts stay as they are, so that results keep their keys; object members keep their
/// order. A secret that the target splits over two messages is not found.
#[derive(Clone, Debug, Default)]
pub struct Mask {
    /// Longest first, so that a secret within a secret leaves nothing behind.
    known: Vec<String>,
}

impl Mask {
    /// A mask for these secrets, and for everything that has the shape of one.
    ///
    /// **Shape**: a header value may keep its scheme (`Bearer abc`); the part behind it is then masked by itself too, and every
    /// secret also as JSON and URLs write it. Secrets of fewer than 6 bytes are ignored.
    pub fn new<S: Into<String>>(secrets: impl IntoIterator<Item = S>) -> Self {
        let mut known = Vec::new();
        for secret in secrets {
            let secret: String = secret.into();
            let bare = match secret.split_once(' ') {
                Some((scheme, rest)) if shape::is_scheme(scheme) => Some(rest.trim().to_owned()),
                _ => None,
            };
            known.extend(bare);
            known.push(secret.trim().to_owned());
        }
        let written: Vec<String> = known
            .iter()
            .flat_map(|secret| [as_json(secret), as_query(secret)])
            .collect();
        known.extend(written);
        known.retain(|secret| secret.len() >= SHORTEST);
        known.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        known.dedup();
        Mask { known }
    }

    /// Masks one event, in place.
    pub fn event(&self, event: &mut Event) {
        match event {
            Event::RunStarted(RunStarted { target, .. }) => self.target(target),
            Event::CaseStarted { .. } => {}
            Event::Message { entry, .. } => self.entry(entry),
            Event::Finding { finding, .. } => self.finding(finding),
            Event::CaseFinished { results, .. } => {
                for result in results {
                    self.result(result);
                }
            }
            Event::TargetRestarted { why, .. } | Event::Lost { why, .. } => self.replace(why),
            Event::ConversationEnded { end, .. } => match end {
                ConversationEnd::Died { why, .. } => self.replace(why),
                ConversationEnd::Closed | ConversationEnd::Open => {}
            },
            Event::RunFinished(RunFinished {
                reasons,
                notes,
                noted,
                waiting_for,
                ..
            }) => {
                reasons
                    .iter_mut()
                    .chain(notes)
                    .for_each(|line| self.replace(line));
                waiting_for
                    .iter_mut()
                    .for_each(|wait| self.replace(&mut wait.profile));
                noted.iter_mut().for_each(|note| self.noted(note));
            }
        }
    }

    /// The text without its secrets: for what is written beside the events, such as an error of the command line.
    pub fn text(&self, text: &str) -> String {
        mask_shapes(&self.literal(text))
    }

    /// The JSON without its secrets, in place.
    pub fn value(&self, value: &mut Value) {
        match value {
            Value::Null | Value::Bool(_) => {}
            Value::Number(number) => {
                let text = number.to_string();
                if self.known.contains(&text) {
                    *value = Value::String(MASKED.to_owned());
                }
            }
            Value::String(text) => self.replace(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(members) => self.members(members),
        }
    }

    fn members(&self, members: &mut Map<String, Value>) {
        let before = std::mem::take(members);
        for (key, mut value) in before {
            match &mut value {
                Value::String(text) if is_sensitive(&key) && !text.is_empty() => {
                    *text = masked(text);
                }
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_)
                | Value::Array(_)
                | Value::Object(_) => {
                    self.value(&mut value);
                }
            }
            members.insert(self.text(&key), value);
        }
    }

    fn target(&self, target: &mut TargetFacts) {
        let mut secret_follows = false;
        for argument in &mut target.argv {
            if secret_follows && !argument.starts_with('-') {
                *argument = MASKED.to_owned();
                secret_follows = false;
                continue;
            }
            secret_follows = argument.starts_with('-') && is_sensitive(argument);
            self.replace(argument);
        }
        if let Some(url) = &mut target.url {
            self.replace(url);
        }
        if let Some(info) = &mut target.server_info {
            self.value(info);
        }
    }

    fn entry(&self, entry: &mut TranscriptEntry) {
        if let Some(http) = &mut entry.http {
            self.http(http);
        }
        if let Some(message) = &mut entry.message {
            self.value(message);
        }
        if let Some(raw) = &mut entry.raw {
            let masked = self.bytes(raw.as_bytes(), entry.truncated);
            *raw = String::from_utf8_lossy(&masked).into_owned();
        }
        for defect in &mut entry.defects {
            self.replace(&mut defect.detail);
        }
        if let Some(raw) = &mut entry.raw_b64
            && let Ok(bytes) = STANDARD.decode(&*raw)
        {
            let masked = self.bytes(&bytes, entry.truncated);
            if masked != bytes {
                *raw = STANDARD.encode(masked);
            }
        }
    }

    /// Masks the HTTP facts of an entry in place, and leaves its message whole: for who records what others say.
    pub fn facts(&self, entry: &mut TranscriptEntry) {
        if let Some(http) = &mut entry.http {
            self.http(http);
        }
    }

    fn http(&self, http: &mut HttpFacts) {
        match http {
            HttpFacts::Request {
                method,
                target,
                headers,
                ..
            } => {
                self.replace(method);
                self.replace(target);
                headers.iter_mut().for_each(|header| self.header(header));
            }
            HttpFacts::Response { headers, .. } => {
                headers.iter_mut().for_each(|header| self.header(header));
            }
            HttpFacts::Body { .. } => {}
            HttpFacts::Event { name, id, .. } => {
                [name, id]
                    .into_iter()
                    .flatten()
                    .for_each(|text| self.replace(text));
            }
            HttpFacts::End { how, why, .. } => {
                self.replace(how);
                why.iter_mut().for_each(|why| self.replace(why));
            }
        }
    }

    /// A header field: by its name, which says what is secret, and like any text.
    fn header(&self, (name, value): &mut (String, String)) {
        if is_sensitive(name) && !value.is_empty() {
            *value = masked(value);
        } else {
            self.replace(value);
        }
        self.replace(name);
    }

    /// Bytes without their secrets; secrets are text, so each lies within one stretch of valid UTF-8.
    fn bytes(&self, bytes: &[u8], truncated: bool) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len());
        for chunk in bytes.utf8_chunks() {
            out.extend_from_slice(self.text(chunk.valid()).as_bytes());
            out.extend_from_slice(chunk.invalid());
        }
        if truncated {
            let piece = self.known.iter().flat_map(|secret| {
                let whole = secret.as_bytes();
                (SHORTEST_PIECE..whole.len()).rev().map(|end| &whole[..end])
            });
            if let Some(piece) = piece
                .filter(|piece| out.ends_with(piece))
                .max_by_key(|piece| piece.len())
            {
                out.truncate(out.len() - piece.len());
                out.extend_from_slice(MASKED.as_bytes());
            }
        }
        out
    }

    fn noted(&self, note: &mut Noted) {
        let Noted {
            method,
            path,
            message,
            actual,
            at,
            ..
        } = note;
        [method, message, actual]
            .into_iter()
            .for_each(|text| self.replace(text));
        for place in [path, at] {
            *place = self.literal(place);
        }
    }

    fn finding(&self, finding: &mut Finding) {
        self.replace(&mut finding.message);
        for text in [&mut finding.expected, &mut finding.actual]
            .into_iter()
            .flatten()
        {
            self.replace(text);
        }
        if let Some(at) = &mut finding.at {
            *at = self.literal(at);
        }
    }

    fn result(&self, result: &mut CheckResult) {
        result.title = self.literal(&result.title);
        result.rule = self.literal(&result.rule);
        result
            .findings
            .iter_mut()
            .for_each(|finding| self.finding(finding));
        result
            .transcript
            .iter_mut()
            .for_each(|entry| self.entry(entry));
        // The case stays whole within the command, or the command would select nothing.
        let parts: Vec<String> = match result.case.as_str() {
            "" => vec![self.text(&result.rerun)],
            case => result
                .rerun
                .split(case)
                .map(|part| self.text(part))
                .collect(),
        };
        result.rerun = parts.join(&result.case);
    }

    fn replace(&self, text: &mut String) {
        *text = self.text(text);
    }

    fn literal(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.known {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), MASKED);
            }
        }
        text
    }
}

/// What stands for a secret. Its scheme is none, and tells which kind of header was sent.
fn masked(secret: &str) -> String {
    match secret.split_once(' ') {
        Some((scheme, _)) if shape::is_scheme(scheme) => format!("{scheme} {MASKED}"),
        _ => MASKED.to_owned(),
    }
}

/// A secret as it stands within JSON text.
fn as_json(secret: &str) -> String {
    let quoted = Value::String(secret.to_owned()).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// A secret as it stands within the query of a URL.
fn as_query(secret: &str) -> String {
    let mut out = String::with_capacity(secret.len());
    for byte in secret.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte))
            }
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn what_holds_no_secret_is_not_touched() {
        for event in fixture::everything() {
            let mut masked = event.clone();
            Mask::new(["a secret that never occurs"]).event(&mut masked);
            assert_eq!(masked, event);
        }
    }

    #[test]
    fn members_with_telling_names_are_masked_and_protocol_fields_are_not() {
        let mut value = json!({
            "headers": {"Authorization": "Bearer abc", "X-Api-Key": "abc", "Mcp-Session-Id": "s-1"},
            "progressToken": "abc", "nextCursor": "abc", "token": "abc",
            "password": {"type": "string"}, "pin": 12_345_678,
        });
        Mask::new(["12345678"]).value(&mut value);
        assert_eq!(
            value,
            json!({
                "headers": {"Authorization": "Bearer ***", "X-Api-Key": "***", "Mcp-Session-Id": "s-1"},
                "progressToken": "abc", "nextCursor": "abc", "token": "***",
                "password": {"type": "string"}, "pin": "***",
            })
        );
    }

    #[test]
    fn headers_are_masked_by_their_name_and_by_what_is_known() {
        let headers = [
            ("AUTHORIZATION", "Bearer abc", "Bearer ***"),
            ("Authorization", "Digest username=me", "***"),
            ("proxy-authorization", "Basic eA==", "Basic ***"),
            ("Cookie", "a=b; c=d", "***"),
            ("Set-Cookie", "sid=1; Path=/; HttpOnly", "***"),
            ("X-Api-Key", "abc", "***"),
            ("X-Auth-Token", "abc", "***"),
            ("X-Own", "so correct-horse it is", "so *** it is"),
            ("X-correct-horse", "1", "1"),
            (
                "Location",
                "/mcp?api_key=abc&page=2",
                "/mcp?api_key=***&page=2",
            ),
            (
                "WWW-Authenticate",
                "Bearer realm=\"x\"",
                "Bearer realm=\"x\"",
            ),
            ("Mcp-Session-Id", "s-1", "s-1"),
            ("Content-Type", "application/json", "application/json"),
            ("Cookie", "", ""),
        ];
        let fields = |values: fn(&(&str, &str, &str)) -> (String, String)| {
            headers.iter().map(values).collect::<Vec<_>>()
        };
        let mask = Mask::new(["correct-horse"]);
        let expected: Vec<_> = fields(|(name, _, masked)| {
            (name.replace("correct-horse", MASKED), (*masked).to_owned())
        });
        let mut request = HttpFacts::Request {
            exchange: 1,
            method: "GET".to_owned(),
            target: "/sse?token=abc&x=correct-horse".to_owned(),
            headers: fields(|(name, value, _)| ((*name).to_owned(), (*value).to_owned())),
        };
        mask.http(&mut request);
        let HttpFacts::Request {
            target, headers, ..
        } = request
        else {
            panic!("it stays what it was");
        };
        assert_eq!(headers, expected);
        assert_eq!(target, "/sse?token=***&x=***");
    }

    #[test]
    fn arguments_after_a_telling_flag_are_masked() {
        let mut facts = TargetFacts {
            argv: [
                "node",
                "--token",
                "abc",
                "--api-key=abc",
                "--verbose",
                "abc",
            ]
            .map(str::to_owned)
            .to_vec(),
            url: Some("https://me:pass@host/mcp?api_key=abc&page=2".to_owned()),
            ..TargetFacts::default()
        };
        Mask::default().target(&mut facts);
        assert_eq!(
            facts.argv,
            [
                "node",
                "--token",
                "***",
                "--api-key=***",
                "--verbose",
                "abc"
            ]
        );
        assert_eq!(
            facts.url.as_deref(),
            Some("https://***@host/mcp?api_key=***&page=2")
        );
    }

    #[test]
    fn the_case_in_a_rerun_command_stays_whole() {
        let mut events = fixture::typical();
        let mask = Mask::new(["unknown-method", "dist/index.js"]);
        events.iter_mut().for_each(|event| mask.event(event));
        let Some(Event::CaseFinished { case, results }) = events.iter().rev().nth(2) else {
            panic!("a case is settled before the end");
        };
        let rerun = &results[0].rerun;
        assert!(rerun.contains(case.as_str()), "{rerun}");
        assert!(rerun.contains("node *** "), "{rerun}");
    }

    #[test]
    fn the_piece_of_a_secret_at_a_cut_is_masked() {
        let mask = Mask::new(["correct-horse"]);
        assert_eq!(mask.bytes(b"so correct-hor", true), b"so ***");
        assert_eq!(
            mask.bytes(b"\xff correct-horse \xfe", false),
            b"\xff *** \xfe"
        );
    }

    /// A text at every place of HTTP facts that a target can write to.
    fn plant(http: Option<&mut HttpFacts>, text: &str) {
        let header = || (text.to_owned(), text.to_owned());
        match http {
            Some(HttpFacts::Request {
                target, headers, ..
            }) => {
                target.push_str(text);
                headers.push(header());
            }
            Some(HttpFacts::Response { headers, .. }) => headers.push(header()),
            Some(HttpFacts::Event { name, id, .. }) => {
                *name = Some(text.to_owned());
                *id = Some(text.to_owned());
            }
            Some(HttpFacts::End { why, .. }) => *why = Some(text.to_owned()),
            Some(HttpFacts::Body { .. }) | None => {}
        }
    }

    proptest! {
        #[test]
        fn no_known_secret_is_left_anywhere(
            secret in "[A-Za-z0-9]{8,16}[\"\\\\ é/][A-Za-z0-9]{4}",
            around in ".{0,12}",
        ) {
            let planted = format!("{around}{secret}{around}");
            let as_text = serde_json::to_string(&planted).expect("a string is JSON");
            let mut events = fixture::everything();
            for event in &mut events {
                if let Event::CaseFinished { results, .. } = event {
                    for result in results {
                        result.rerun.push_str(&planted);
                        for finding in &mut result.findings {
                            finding.message.push_str(&planted);
                            finding.actual = Some(as_text.clone());
                        }
                    }
                } else if let Event::Message { entry, .. } = event {
                    entry.message = Some(json!({planted.clone(): [planted.clone()]}));
                    plant(entry.http.as_mut(), &planted);
                    entry.raw = Some(planted.clone());
                    entry.raw_b64 = Some(STANDARD.encode(&planted));
                }
            }
            let mask = Mask::new([secret.clone()]);
            for mut event in events {
                mask.event(&mut event);
                let text = serde_json::to_string(&event).expect("an event is JSON");
                prop_assert!(!text.contains(&as_json(&secret)), "{}", text);
                if let Event::Message { entry, .. } = event {
                    let raw = STANDARD.decode(entry.raw_b64.unwrap_or_default()).unwrap_or_default();
                    prop_assert!(!String::from_utf8_lossy(&raw).contains(&secret));
                    prop_assert!(!entry.raw.unwrap_or_default().contains(&secret));
                }
            }
        }
    }
}
