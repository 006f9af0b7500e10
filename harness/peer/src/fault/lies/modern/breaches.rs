//! Lies about requests that break a rule: they are served, or refused in another way.

use crate::error::RpcError;
use crate::fault::lie::{Breach, Course, Fired, Heard, Lie, What};

/// Treats some breaches in its own way.
pub(crate) struct OnBreach {
    is_meant: fn(Breach) -> bool,
    answer: fn(RpcError) -> Result<(), RpcError>,
}

/// Serves what breaks these rules.
pub(crate) fn passes_over(is_meant: fn(Breach) -> bool) -> Box<dyn Lie> {
    Box::new(OnBreach {
        is_meant,
        answer: |_| Ok(()),
    })
}

/// Refuses what breaks these rules with status 200.
pub(crate) fn has_status_200(is_meant: fn(Breach) -> bool) -> Box<dyn Lie> {
    Box::new(OnBreach {
        is_meant,
        answer: |error| Err(error.on_http(200)),
    })
}

/// Refuses what breaks these rules with another error.
pub(crate) fn refuses_with(
    is_meant: fn(Breach) -> bool,
    answer: fn(RpcError) -> Result<(), RpcError>,
) -> Box<dyn Lie> {
    Box::new(OnBreach { is_meant, answer })
}

/// Whether a field that every request has is missing.
pub(crate) fn is_missing_field(breach: Breach) -> bool {
    matches!(
        breach,
        Breach::NoMeta | Breach::NoVersion | Breach::NoCapabilities
    )
}

/// Whether a capability is missing, or a mode of it.
pub(crate) fn is_undeclared(breach: Breach) -> bool {
    matches!(
        breach,
        Breach::UndeclaredCapability | Breach::UndeclaredMode
    )
}

impl Lie for OnBreach {
    fn breach(
        &mut self,
        breach: Breach,
        error: RpcError,
        fired: &mut Fired,
    ) -> Result<(), RpcError> {
        if !(self.is_meant)(breach) {
            return Err(error);
        }
        fired.count();
        (self.answer)(error)
    }
}

/// Serves any version, on `server/discover` alone or on all else.
pub(crate) struct ServesAnyVersion {
    on_discover: bool,
    is_discover: bool,
}

impl ServesAnyVersion {
    /// On `server/discover` alone.
    pub fn of_discover() -> Box<dyn Lie> {
        Box::new(ServesAnyVersion {
            on_discover: true,
            is_discover: false,
        })
    }

    /// On all else.
    pub fn of_all_else() -> Box<dyn Lie> {
        Box::new(ServesAnyVersion {
            on_discover: false,
            is_discover: false,
        })
    }
}

impl Lie for ServesAnyVersion {
    fn hear(&mut self, heard: &Heard<'_>, _fired: &mut Fired) -> Course {
        if let What::Request(_, method, _) = heard.what {
            self.is_discover = method == "server/discover";
        }
        Course::Honest
    }

    fn breach(
        &mut self,
        breach: Breach,
        error: RpcError,
        fired: &mut Fired,
    ) -> Result<(), RpcError> {
        if breach != Breach::UnsupportedVersion || self.is_discover != self.on_discover {
            return Err(error);
        }
        fired.count();
        Ok(())
    }
}

/// Once it has refused a version it refuses every request.
#[derive(Default)]
pub(crate) struct SticksToRefusal {
    refused: Option<RpcError>,
}

impl Lie for SticksToRefusal {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        match (&self.refused, heard.what) {
            (Some(error), What::Request(..)) if heard.is_modern() => {
                fired.count();
                Course::Answer(Err(error.clone()))
            }
            (
                Some(_) | None,
                What::Request(..) | What::Notification(..) | What::Batch | What::Malformed,
            ) => Course::Honest,
        }
    }

    fn breach(
        &mut self,
        breach: Breach,
        error: RpcError,
        _fired: &mut Fired,
    ) -> Result<(), RpcError> {
        if breach == Breach::UnsupportedVersion {
            self.refused = Some(error.clone());
        }
        Err(error)
    }
}
