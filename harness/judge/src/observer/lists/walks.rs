//! Walks through lists, whole ones against one another, in bounded memory.
//!
//! ```text
//! page -> the walk that it continues -> its last page: the whole walk -> against the whole walk before -> Change, owed
//! the notification settles what is owed; an answer to what was asked after the change makes it due
//! ```

use super::List;
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

/// Items of a walk that are remembered; a longer one is not compared.
const ITEMS: usize = 65_536;

/// Walks through each list of each connection.
#[derive(Default)]
pub(super) struct Walks(HashMap<(String, List), History>);

/// One list of one connection.
#[derive(Default)]
struct History {
    /// The walk that goes on.
    open: Option<Walk>,
    /// The last whole one.
    whole: Option<Walk>,
    owed: Option<Change>,
}

/// A walk from the first page on.
struct Walk {
    keys: BTreeSet<String>,
    is_whole: bool,
    next: Option<String>,
    /// Where it was asked for.
    began: u64,
    /// Of its last page.
    seq: u64,
    /// What the list may depend on.
    view: String,
    /// Whether changes would be told of all the time.
    is_watched: bool,
}

/// A page of a list.
pub(super) struct Page<'p> {
    pub list: List,
    /// Where it was asked for, and where it came.
    pub asked: u64,
    pub seq: u64,
    pub cursor: Option<&'p str>,
    pub next: Option<&'p str>,
    pub view: String,
}

/// Two walks that differ.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub list: List,
    pub before: u64,
    pub after: u64,
    /// An item that is new, and one that is gone.
    pub gained: Option<String>,
    pub lost: Option<String>,
}

impl Walks {
    /// A page came. Gives whether two whole walks could be compared, and differ.
    pub fn page<'k>(
        &mut self,
        connection: &str,
        page: Page<'_>,
        keys: impl Iterator<Item = &'k str>,
        is_watched: bool,
    ) -> Option<bool> {
        let key = (connection.to_owned(), page.list);
        let history = self.0.entry(key).or_default();
        let mut walk = match (history.open.take(), page.cursor) {
            (_, None) => Walk {
                keys: BTreeSet::new(),
                is_whole: true,
                next: None,
                began: page.asked,
                seq: page.seq,
                view: page.view,
                is_watched,
            },
            (Some(walk), Some(cursor))
                if walk.next.as_deref() == Some(cursor) && walk.view == page.view =>
            {
                walk
            }
            (open, Some(_)) => {
                history.open = open;
                return None;
            }
        };
        walk.keys.extend(keys.map(str::to_owned));
        walk.is_whole &= walk.keys.len() <= ITEMS;
        walk.is_watched &= is_watched;
        walk.seq = page.seq;
        walk.next = page.next.map(str::to_owned);
        if walk.next.is_some() {
            history.open = walk.is_whole.then_some(walk);
            return None;
        }
        if !walk.is_whole {
            history.whole = None;
            return None;
        }
        let before = history.whole.replace(walk)?;
        let after = history.whole.as_ref()?;
        // A list that was asked for before the last walk ended is of the same time.
        if !before.is_watched
            || !after.is_watched
            || before.view != after.view
            || after.began < before.seq
        {
            return None;
        }
        let gained = after.keys.difference(&before.keys).next().cloned();
        let lost = before.keys.difference(&after.keys).next().cloned();
        let differs = gained.is_some() || lost.is_some();
        if differs {
            history.owed = Some(Change {
                list: page.list,
                before: before.seq,
                after: after.seq,
                gained,
                lost,
            });
        }
        Some(differs)
    }

    /// The client was told that a list changed: what is known of it is of the past.
    pub fn told(&mut self, connection: &str, list: List) {
        self.0.remove(&(connection.to_owned(), list));
    }

    /// Changes that were not told before something that was asked after them was answered.
    pub fn take_due(&mut self, connection: &str, asked: u64) -> Vec<Change> {
        let own = self
            .0
            .iter_mut()
            .filter(|((label, _), _)| label == connection);
        let due =
            own.filter_map(|(_, history)| history.owed.take_if(|change| change.after < asked));
        due.collect()
    }

    /// Whether the last walk, or the part of it so far, has a resource, and was asked for and came within these positions.
    pub fn has_resource(&self, connection: &str, uri: &str, within: Range<u64>) -> bool {
        let of_resources = |((label, list), _): &(&(String, List), &History)| {
            label == connection && list.method == "resources/list"
        };
        self.0
            .iter()
            .find(of_resources)
            .is_some_and(|(_, history)| {
                let walks = history.open.iter().chain(&history.whole);
                let mut latest = walks.take(1);
                latest.any(|walk| {
                    within.contains(&walk.began)
                        && within.contains(&walk.seq)
                        && walk.keys.contains(uri)
                })
            })
    }
}
