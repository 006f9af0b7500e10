//! Requests as the bytes that go out: our fields, the user's over them, and those of a hand-written request over both.

use super::Body;
use super::endpoint::Endpoint;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use mcp_assay_wire::http::Head;

/// A header field before it goes out.
pub(crate) type Outgoing = (String, Bytes);

/// A request, before it is known which address it goes to.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) method: String,
    /// Our fields, without those that depend on the address or on the body.
    pub(super) ours: Vec<Outgoing>,
    /// Those of a hand-written request; no value removes a field.
    pub(super) overrides: Vec<(String, Vec<Bytes>)>,
    pub(super) body: Body,
    /// Whether it gets a socket of its own, which nothing else uses before or after.
    pub(super) is_by_hand: bool,
}

impl Plan {
    /// The head as it goes to `to`. What is meant for the first address alone is left out where `to` is of another origin.
    pub(super) fn head(&self, first: &Endpoint, to: &Endpoint, user: &[(String, String)]) -> Head {
        let mut raw = Vec::with_capacity(512);
        raw.extend_from_slice(format!("{} {} HTTP/1.1\r\n", self.method, to.target).as_bytes());
        for (name, value) in self.fields(first, to, user) {
            raw.extend_from_slice(name.as_bytes());
            raw.extend_from_slice(b": ");
            raw.extend_from_slice(&value);
            raw.extend_from_slice(b"\r\n");
        }
        raw.extend_from_slice(b"\r\n");
        Head::parse(raw.into())
    }

    fn fields(&self, first: &Endpoint, to: &Endpoint, user: &[(String, String)]) -> Vec<Outgoing> {
        let mut fields = vec![field("Host", &to.authority)];
        fields.extend(self.ours.iter().cloned());
        if let Some(length) = self.content_length() {
            fields.push(field("Content-Length", &length.to_string()));
        }
        let is_trusted = first.same_origin(to);
        if is_trusted {
            if let Some((name, password)) = &first.userinfo {
                let credentials = STANDARD.encode(format!("{name}:{password}"));
                fields.push(field("Authorization", &format!("Basic {credentials}")));
            }
            let mut rest = user;
            while let Some(((name, _), after)) = rest.split_first() {
                let is_new = !user[..user.len() - rest.len()]
                    .iter()
                    .any(|(before, _)| before.eq_ignore_ascii_case(name));
                if is_new {
                    let same = rest.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
                    let same = same.map(|(name, value)| field(name, value)).collect();
                    put_over(&mut fields, name, same);
                }
                rest = after;
            }
        }
        for (name, values) in &self.overrides {
            let is_secret = ["authorization", "cookie"]
                .iter()
                .any(|secret| name.trim().eq_ignore_ascii_case(secret));
            if is_trusted || !is_secret {
                let values = values.iter().map(|value| (name.clone(), value.clone()));
                put_over(&mut fields, name, values.collect());
            }
        }
        fields
    }

    fn content_length(&self) -> Option<usize> {
        let has_length_anyway = ["POST", "PUT", "PATCH"].contains(&self.method.as_str());
        match &self.body {
            Body::None => has_length_anyway.then_some(0),
            Body::Whole(bytes) => Some(bytes.len()),
            Body::Slow(parts) => Some(parts.iter().map(|(_, bytes)| bytes.len()).sum()),
        }
    }
}

/// A field.
pub(crate) fn field(name: &str, value: &str) -> Outgoing {
    (name.to_owned(), Bytes::copy_from_slice(value.as_bytes()))
}

/// Replaces the fields of a name, in the place of the first of them.
fn put_over(fields: &mut Vec<Outgoing>, name: &str, new: Vec<Outgoing>) {
    let is_it = |field: &Outgoing| field.0.eq_ignore_ascii_case(name);
    let at = fields.iter().position(is_it);
    fields.retain(|field| !is_it(field));
    let at = at.unwrap_or(fields.len());
    fields.splice(at..at, new);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(overrides: Vec<(String, Vec<Bytes>)>) -> Plan {
        Plan {
            method: "POST".into(),
            ours: vec![field("Accept", "a"), field("Mcp-Session-Id", "s")],
            overrides,
            body: Body::Whole(Bytes::from_static(b"{}")),
            is_by_hand: true,
        }
    }

    fn sent(plan: &Plan, to: &str, user: &[(&str, &str)]) -> String {
        let first = Endpoint::parse("http://u:p@h/mcp").unwrap();
        let to = first.join(to).unwrap();
        let user: Vec<_> = user
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        String::from_utf8(plan.head(&first, &to, &user).raw.to_vec()).unwrap()
    }

    #[test]
    fn fields_of_the_user_win_and_may_repeat() {
        let head = sent(
            &plan(vec![]),
            "",
            &[("accept", "x"), ("B", "1"), ("ACCEPT", "y")],
        );
        assert_eq!(
            head,
            "POST /mcp HTTP/1.1\r\nHost: h\r\naccept: x\r\nACCEPT: y\r\nMcp-Session-Id: s\r\nContent-Length: 2\r\n\
             Authorization: Basic dTpw\r\nB: 1\r\n\r\n"
        );
    }

    #[test]
    fn overrides_remove_repeat_and_keep_their_spelling() {
        let both = vec![Bytes::from_static(b"1"), Bytes::from_static(b"2\xff")];
        let overrides = vec![
            ("HOST".into(), vec![]),
            ("content-length".into(), both),
            ("B".into(), vec![]),
        ];
        let plan = plan(overrides);
        let first = Endpoint::parse("http://h/mcp").unwrap();
        let user = [("b".to_owned(), "1".to_owned())];
        let head = plan.head(&first, &first, &user);
        assert_eq!(
            head.raw.as_ref(),
            b"POST /mcp HTTP/1.1\r\nAccept: a\r\nMcp-Session-Id: s\r\ncontent-length: 1\r\ncontent-length: 2\xff\r\n\r\n"
        );
    }

    #[test]
    fn another_origin_learns_no_secret() {
        let overrides = vec![("cookie".into(), vec![Bytes::from_static(b"c")])];
        let head = sent(&plan(overrides), "http://h:81/x", &[("Token", "t")]);
        assert_eq!(
            head,
            "POST /x HTTP/1.1\r\nHost: h:81\r\nAccept: a\r\nMcp-Session-Id: s\r\nContent-Length: 2\r\n\r\n"
        );
    }
}
