//! Lies about what results and errors hold.

use crate::fault::lie::{Course, Fired, Heard, Lie, What, is_reply};
use crate::json::Json;
use crate::outgoing::{About, Outgoing};
use std::collections::HashSet;

/// Where the versions are listed that a server speaks.
const VERSIONS: [&str; 2] = ["/result/supportedVersions", "/error/data/supported"];

/// Lists a version that nobody knows yet.
pub(crate) struct NamesFutureVersion;

impl Lie for NamesFutureVersion {
    fn send(
        &mut self,
        mut message: Outgoing,
        is_subject: bool,
        fired: &mut Fired,
    ) -> Vec<Outgoing> {
        if is_subject && is_reply(&message) {
            for pointer in VERSIONS {
                if let Some(versions) = message.json.items_at(pointer) {
                    versions.insert(0, Json::text("2030-01-01"));
                    fired.count();
                }
            }
        }
        vec![message]
    }
}

/// Lists the version that it refuses.
pub(crate) struct ListsRefusedVersion;

impl Lie for ListsRefusedVersion {
    fn send(
        &mut self,
        mut message: Outgoing,
        is_subject: bool,
        fired: &mut Fired,
    ) -> Vec<Outgoing> {
        let requested = message.json.at("/error/data/requested").cloned();
        if is_subject
            && let Some(requested) = requested
            && let Some(versions) = message.json.items_at("/error/data/supported")
        {
            versions.push(requested);
            fired.count();
        }
        vec![message]
    }
}

/// Gives a later page another scope than the first.
#[derive(Default)]
pub(crate) struct VariesCacheScope {
    later_pages: HashSet<u64>,
}

impl Lie for VariesCacheScope {
    fn hear(&mut self, heard: &Heard<'_>, _fired: &mut Fired) -> Course {
        if let What::Request(arrival, _, seq) = heard.what
            && arrival.message.value.pointer("/params/cursor").is_some()
        {
            self.later_pages.insert(seq);
        }
        Course::Honest
    }

    fn send(
        &mut self,
        mut message: Outgoing,
        is_subject: bool,
        fired: &mut Fired,
    ) -> Vec<Outgoing> {
        let About::Reply { seq, .. } = message.about else {
            return vec![message];
        };
        if self.later_pages.remove(&seq)
            && is_subject
            && let Some(scope) = message.json.str_at("/result/cacheScope")
        {
            let other = if scope == "public" {
                "private"
            } else {
                "public"
            };
            message.json.set("/result/cacheScope", Json::text(other));
            fired.count();
        }
        vec![message]
    }
}

/// Gives every second page of tools in the other order.
#[derive(Default)]
pub(crate) struct ReversesTools {
    lists: u64,
}

impl Lie for ReversesTools {
    fn send(
        &mut self,
        mut message: Outgoing,
        is_subject: bool,
        fired: &mut Fired,
    ) -> Vec<Outgoing> {
        if !message.about.is_reply_to("tools/list") {
            return vec![message];
        }
        self.lists += 1;
        if is_subject
            && self.lists.is_multiple_of(2)
            && let Some(tools) = message.json.items_at("/result/tools")
        {
            tools.reverse();
            fired.count();
        }
        vec![message]
    }
}

/// Is of another era, or of both: the difference is made where it begins, and shows in what it discovers of itself.
pub(crate) struct OffersOtherwise;

impl Lie for OffersOtherwise {
    fn send(&mut self, message: Outgoing, _is_subject: bool, fired: &mut Fired) -> Vec<Outgoing> {
        if message.about.is_reply_to("server/discover") || message.about.is_reply_to("initialize") {
            fired.count();
        }
        vec![message]
    }
}
