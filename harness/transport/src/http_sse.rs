//! HTTP+SSE of 2024-11-05: an event stream brings everything, and its `endpoint` event says where posts go.
//!
//! **Source**: `2024-11-05/basic/transports#http-with-sse`.

use crate::http::endpoint::Endpoint;
use tokio::sync::watch;

/// Where posts go, as far as it is known.
#[derive(Clone, Debug)]
enum Route {
    Unknown,
    Known(Box<Endpoint>),
    /// Nowhere; a fragment says why.
    Refused(String),
}

/// Tells the posts of one client where to go, once the event stream has said it.
#[derive(Clone, Debug)]
pub(crate) struct Router(watch::Sender<Route>);

impl Router {
    /// One that knows nothing yet.
    pub(crate) fn new() -> Self {
        Router(watch::Sender::new(Route::Unknown))
    }

    /// Where posts go, if that is known now.
    pub(crate) fn now(&self) -> Option<Endpoint> {
        match &*self.0.borrow() {
            Route::Known(endpoint) => Some(Endpoint::clone(endpoint)),
            Route::Unknown | Route::Refused(_) => None,
        }
    }

    /// Waits until it is known where posts go, or that they cannot.
    pub(crate) async fn known(&self) -> Result<Endpoint, String> {
        let mut news = self.0.subscribe();
        loop {
            match &*news.borrow_and_update() {
                Route::Known(endpoint) => return Ok(Endpoint::clone(endpoint)),
                Route::Refused(why) => return Err(why.clone()),
                Route::Unknown => {}
            }
            if news.changed().await.is_err() {
                return Err("the client is gone".to_owned());
            }
        }
    }

    /// Takes an `endpoint` event; the first that names a place counts.
    pub(crate) fn learn(&self, base: &Endpoint, data: Option<&[u8]>) {
        let new = match resolve(base, data) {
            Ok(endpoint) => Route::Known(Box::new(endpoint)),
            Err(why) => Route::Refused(why),
        };
        self.replace(new);
    }

    /// Tells that the event stream ended: if it has not said where posts go, nothing will.
    pub(crate) fn stream_ended(&self) {
        self.0.send_if_modified(|route| match route {
            Route::Unknown => {
                let why = "the event stream ended before its endpoint event";
                *route = Route::Refused(why.to_owned());
                true
            }
            Route::Known(_) | Route::Refused(_) => false,
        });
    }

    fn replace(&self, new: Route) {
        self.0.send_if_modified(|route| match route {
            Route::Known(_) => false,
            Route::Unknown | Route::Refused(_) => {
                *route = new;
                true
            }
        });
    }
}

fn resolve(base: &Endpoint, data: Option<&[u8]>) -> Result<Endpoint, String> {
    let data = data.unwrap_or_default();
    let reference = String::from_utf8_lossy(data);
    let reference = reference.trim();
    let shown = reference.chars().take(200).collect::<String>();
    let shown = shown.escape_debug();
    if reference.is_empty() {
        return Err("the endpoint event names no address".to_owned());
    }
    let endpoint = base
        .join(reference)
        .map_err(|error| format!("the endpoint event names `{shown}`: {error}"))?;
    if base.same_origin(&endpoint) {
        Ok(endpoint)
    } else {
        Err(format!(
            "the endpoint event names `{shown}`, which is of another origin"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(data: &str) -> String {
        let base = Endpoint::parse("http://h:1/a/sse").unwrap();
        match resolve(&base, Some(data.as_bytes())) {
            Ok(endpoint) => endpoint.url(),
            Err(why) => why,
        }
    }

    #[test]
    fn resolves_against_the_stream() {
        assert_eq!(resolved("/m?sessionId=1"), "http://h:1/m?sessionId=1");
        assert_eq!(resolved(" m\r"), "http://h:1/a/m");
        assert_eq!(resolved("http://h:1/x"), "http://h:1/x");
    }

    #[test]
    fn stays_with_the_origin() {
        assert!(resolved("http://h:2/x").contains("another origin"));
        assert!(resolved("https://h:1/x").contains("another origin"));
        assert!(resolved("//other/x").contains("another origin"));
        assert!(resolved("mailto:x").contains("`mailto:`"));
        assert!(resolved("").contains("no address"));
    }

    #[tokio::test]
    async fn the_first_place_counts() {
        let base = Endpoint::parse("http://h/sse").unwrap();
        let router = Router::new();
        router.learn(&base, None);
        assert!(router.known().await.is_err());
        router.learn(&base, Some(b"/one"));
        router.learn(&base, Some(b"/two"));
        router.stream_ended();
        assert_eq!(router.known().await.unwrap().target, "/one");
        assert_eq!(router.now().unwrap().target, "/one");
    }
}
