//! The address of an HTTP target, taken apart once so that everything else works on its parts.

use std::net::IpAddr;
use url::{Host, Url};

/// Where requests go.
///
/// **Shape**: `host` is in lower case and without the brackets of an IPv6 address; `authority` has them, and the port where it is not the
/// scheme's own; `target` begins with a slash.
#[derive(Clone, Eq, PartialEq)]
pub struct Endpoint {
    /// Whether the scheme is https.
    pub is_tls: bool,
    /// Name or address to connect to.
    pub host: String,
    /// Port to connect to.
    pub port: u16,
    /// What the Host field says.
    pub authority: String,
    /// Path and query, as in the request line.
    pub target: String,
    /// User name and password, sent as Basic authorization; never shown.
    pub userinfo: Option<(String, String)>,
}

/// An address is none that an HTTP target can have.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EndpointError {
    /// It is no URL.
    #[error("not a URL: {0}")]
    NoUrl(url::ParseError),
    /// It is one of another scheme, or of none: `localhost:8080/mcp`.
    #[error("not an HTTP address: it begins with `{scheme}:`, not with http:// or https://")]
    Scheme {
        /// What stands before the first colon.
        scheme: String,
    },
    /// It begins with no scheme.
    #[error("not an HTTP address: it does not begin with http:// or https://")]
    Relative,
    /// Nothing can be connected to.
    #[error("no host in the address")]
    NoHost,
}

impl Endpoint {
    /// Reads an address as browsers read it.
    ///
    /// **Errors**: no URL, not http or https, or no host.
    pub fn parse(url: &str) -> Result<Self, EndpointError> {
        let url = Url::parse(url).map_err(|error| match error {
            url::ParseError::RelativeUrlWithoutBase => EndpointError::Relative,
            url::ParseError::EmptyHost => EndpointError::NoHost,
            other => EndpointError::NoUrl(other),
        })?;
        Endpoint::of(&url)
    }

    fn of(url: &Url) -> Result<Self, EndpointError> {
        let is_tls = match url.scheme() {
            "http" => false,
            "https" => true,
            other => {
                return Err(EndpointError::Scheme {
                    scheme: other.to_owned(),
                });
            }
        };
        let host = match url.host().ok_or(EndpointError::NoHost)? {
            Host::Domain(name) => name.to_owned(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        let shown = url.host_str().ok_or(EndpointError::NoHost)?;
        let authority = match url.port() {
            Some(port) => format!("{shown}:{port}"),
            None => shown.to_owned(),
        };
        let target = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let has_userinfo = !url.username().is_empty() || url.password().is_some();
        let userinfo = has_userinfo.then(|| {
            let password = url.password().unwrap_or_default();
            (percent_decoded(url.username()), percent_decoded(password))
        });
        Ok(Endpoint {
            is_tls,
            host,
            port: url.port().unwrap_or(if is_tls { 443 } else { 80 }),
            authority,
            target,
            userinfo,
        })
    }

    /// The address without user name and password.
    pub fn url(&self) -> String {
        let scheme = if self.is_tls { "https" } else { "http" };
        format!("{scheme}://{}{}", self.authority, self.target)
    }

    /// The address that a reference found here means. User name and password go on to the same origin only.
    ///
    /// **Errors**: as for [`parse`](Endpoint::parse).
    pub fn join(&self, reference: &str) -> Result<Self, EndpointError> {
        let base = Url::parse(&self.url()).map_err(EndpointError::NoUrl)?;
        let joined = base.join(reference).map_err(EndpointError::NoUrl)?;
        let mut joined = Endpoint::of(&joined)?;
        if joined.userinfo.is_none() && self.same_origin(&joined) {
            joined.userinfo.clone_from(&self.userinfo);
        }
        Ok(joined)
    }

    /// Whether it names this machine.
    pub fn is_loopback(&self) -> bool {
        match self.host.parse::<IpAddr>() {
            Ok(address) => address.to_canonical().is_loopback(),
            Err(_) => {
                let name = self.host.trim_end_matches('.');
                name == "localhost" || name.ends_with(".localhost")
            }
        }
    }

    /// Whether scheme, host and port are the same.
    pub fn same_origin(&self, other: &Endpoint) -> bool {
        (self.is_tls, &self.host, self.port) == (other.is_tls, &other.host, other.port)
    }
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Endpoint").field(&self.url()).finish()
    }
}

/// Undoes the URL's escapes; bytes that are no UTF-8 then are replaced.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digits = after
            .get(..2)
            .filter(|_| first == b'%')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let (byte, taken) = digits.map_or((first, 1), |byte| (byte, 3));
        bytes.push(byte);
        rest = &rest[taken..];
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(url: &str) -> Endpoint {
        Endpoint::parse(url).unwrap()
    }

    #[test]
    fn takes_an_address_apart() {
        let found = endpoint("HTTPS://Bob:p%40ss@Example.COM:8443/a b?x=1#part");
        assert!(found.is_tls);
        assert_eq!(found.host, "example.com");
        assert_eq!(found.port, 8443);
        assert_eq!(found.authority, "example.com:8443");
        assert_eq!(found.target, "/a%20b?x=1");
        assert_eq!(found.userinfo, Some(("Bob".into(), "p@ss".into())));
        assert_eq!(found.url(), "https://example.com:8443/a%20b?x=1");
        assert!(!format!("{found:?}").contains("p@ss"));
    }

    #[test]
    fn brackets_are_for_the_authority_only() {
        let found = endpoint("http://[::1]/");
        assert_eq!((found.host.as_str(), found.port), ("::1", 80));
        assert_eq!(found.authority, "[::1]");
    }

    #[test]
    fn says_what_is_missing() {
        let said = |url: &str| Endpoint::parse(url).unwrap_err().to_string();
        assert!(said("localhost:8080/mcp").contains("`localhost:`"));
        assert!(said("ftp://h/").contains("`ftp:`"));
        assert!(said("/mcp").contains("http://"));
        assert!(said("http://").contains("no host"));
        assert!(said("http://h:99999/").contains("port"));
    }

    #[test]
    fn joins_references() {
        let base = endpoint("http://u:p@h:8080/a/sse?x=1");
        let joined = |reference: &str| base.join(reference).unwrap();
        assert_eq!(joined("/m?id=2").url(), "http://h:8080/m?id=2");
        assert_eq!(joined("m").url(), "http://h:8080/a/m");
        assert_eq!(joined("?y").url(), "http://h:8080/a/sse?y");
        assert_eq!(joined("m").userinfo, base.userinfo);
        let foreign = joined("http://other/m");
        assert!(!base.same_origin(&foreign));
        assert_eq!(foreign.userinfo, None);
        assert_eq!(joined("//h:8081/m").userinfo, None);
        assert!(base.join("mailto:x").is_err());
    }

    #[test]
    fn knows_this_machine() {
        for url in [
            "http://localhost:1/",
            "http://a.localhost/",
            "http://127.8.8.8/",
            "http://[::1]:2/",
            "http://[::ffff:127.0.0.1]/",
            "http://0x7f.1/",
        ] {
            assert!(endpoint(url).is_loopback(), "{url}");
        }
        for url in ["http://localhost.example/", "http://10.0.0.1/"] {
            assert!(!endpoint(url).is_loopback(), "{url}");
        }
    }
}
