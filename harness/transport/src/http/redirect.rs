//! Which redirects are followed.

use super::endpoint::Endpoint;
use mcp_assay_wire::http::Head;

/// Redirects that are followed in one exchange.
pub(super) const MAX_HOPS: u32 = 5;

/// A response that sends us elsewhere.
#[derive(Debug)]
pub(super) enum Redirect {
    /// There, with the same method and body.
    To(Endpoint),
    /// Where we do not go; a fragment says why.
    Refused(String),
}

/// Reads a response as a redirect. One without a place to go to is none.
///
/// Only the host that the user named is asked: whoever answers there may not send us, and what we carry, to others.
pub(super) fn of(first: &Endpoint, from: &Endpoint, status: u16, head: &Head) -> Option<Redirect> {
    if ![301, 302, 307, 308].contains(&status) {
        return None;
    }
    let location = head.value("location")?;
    let to = match from.join(&location) {
        Ok(to) => to,
        Err(error) => {
            let location = location.escape_debug();
            return Some(Redirect::Refused(format!(
                "redirected to `{location}`: {error}"
            )));
        }
    };
    let refused = |why: &str| {
        Some(Redirect::Refused(format!(
            "redirected to {}: {why}",
            to.url()
        )))
    };
    if to.host != first.host {
        refused("another host, which is not followed")
    } else if from.is_tls && !to.is_tls {
        refused("from https to http, which is not followed")
    } else {
        Some(Redirect::To(to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn redirect(from: &str, status: u16, location: &str) -> String {
        let from = Endpoint::parse(from).unwrap();
        let head = Head::parse(Bytes::from(format!(
            "HTTP/1.1 {status} X\r\n{location}\r\n\r\n"
        )));
        match of(&from, &from, status, &head) {
            None => "none".to_owned(),
            Some(Redirect::To(to)) => to.url(),
            Some(Redirect::Refused(why)) => why,
        }
    }

    #[test]
    fn stays_with_the_host() {
        let from = |location: &str| redirect("http://h:1/mcp", 307, location);
        assert_eq!(from("Location: /mcp/"), "http://h:1/mcp/");
        assert_eq!(from("location: https://H/x"), "https://h/x");
        assert!(from("Location: http://h.evil/x").contains("another host"));
        assert!(from("Location: //other/").contains("another host"));
        assert!(from("Location: file:///etc/passwd").contains("`file:`"));
        assert_eq!(from("X: y"), "none");
    }

    #[test]
    fn never_leaves_tls() {
        let why = redirect("https://h/mcp", 301, "Location: http://h/mcp");
        assert!(why.contains("https to http"));
        assert_eq!(redirect("https://h/mcp", 302, "Location: b"), "https://h/b");
    }

    #[test]
    fn other_statuses_are_data() {
        for status in [200, 300, 303, 304, 305, 404] {
            assert_eq!(redirect("http://h/", status, "Location: /b"), "none");
        }
    }
}
