//! The revisions a server offers, by era.
//!
//! **Source**: `2026-07-28/basic/versioning#terminology`. Up to 2025-11-25 a conversation begins with `initialize`; later every request
//! stands alone. A server that offers both kinds is dual-era: it serves each request by the rules of the era that it is written in.

use mcp_assay_model::protocol::{Era, Revision};

/// What a server offers, latest first.
#[derive(Clone, Debug)]
pub(crate) struct Offer {
    all: Vec<Revision>,
}

impl Offer {
    /// The offer of these revisions, in any order; none means all.
    pub fn new(revisions: &[Revision]) -> Self {
        let mut all = if revisions.is_empty() {
            Revision::ALL.to_vec()
        } else {
            revisions.to_vec()
        };
        all.sort_by(|a, b| b.cmp(a));
        all.dedup();
        Offer { all }
    }

    /// All revisions.
    pub fn all(&self) -> &[Revision] {
        &self.all
    }

    /// Those of an era.
    pub fn of(&self, era: Era) -> Vec<Revision> {
        let of_era = self.all.iter().filter(|revision| revision.era() == era);
        of_era.copied().collect()
    }

    /// What is offered of one era.
    pub fn only(&self, era: Era) -> Offer {
        Offer { all: self.of(era) }
    }

    /// Whether any is of this era.
    pub fn has(&self, era: Era) -> bool {
        self.all.iter().any(|revision| revision.era() == era)
    }

    /// What an answer can be in before anything is known of the request: the legacy revisions, or where there are none the modern.
    pub fn before_agreement(&self) -> Vec<Revision> {
        let era = if self.has(Era::Legacy) {
            Era::Legacy
        } else {
            Era::Modern
        };
        self.of(era)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_means_all_and_the_latest_comes_first() {
        assert_eq!(Offer::new(&[]).all()[0], Revision::R2026_07_28);
        assert_eq!(Offer::new(&[]).of(Era::Legacy).len(), 4);
        let legacy = Offer::new(&[Revision::R2024_11_05, Revision::R2025_06_18]);
        assert!(!legacy.has(Era::Modern));
        assert_eq!(legacy.all()[0], Revision::R2025_06_18);
        let modern = Offer::new(&[Revision::R2026_07_28]);
        assert_eq!(modern.before_agreement(), [Revision::R2026_07_28]);
    }
}
