//! Processes below a process, found by walking `/proc`.
//!
//! Groups and sessions cannot be relied on, because a process may leave both. Ancestry can: below a child subreaper
//! every orphan becomes a child of the subreaper, so each living descendant has a chain of parents that leads there.

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::process;

/// One process as `/proc` showed it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    pub(crate) parent: i32,
    /// In clock ticks since boot; with the pid it tells a process from a later one of the same number.
    pub(crate) started: u64,
    /// Has ended and only waits to be reaped.
    pub(crate) is_zombie: bool,
}

impl Process {
    /// Reads one process; `None` when there is none of that number.
    pub(crate) fn read(pid: i32) -> Option<Self> {
        let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
        Self::parse(pid, &stat)
    }

    /// Reads `pid (name) state parent ...`. The name may hold anything, spaces and parentheses too, so the fields are
    /// counted from the last closing parenthesis.
    fn parse(pid: i32, stat: &[u8]) -> Option<Self> {
        let name_end = stat.iter().rposition(|byte| *byte == b')')?;
        let mut fields = std::str::from_utf8(stat.get(name_end + 1..)?)
            .ok()?
            .split_ascii_whitespace();
        let state = fields.next()?;
        let parent = fields.next()?.parse().ok()?;
        // `starttime` is field 22 of the line; `state` is field 3 and `ppid` field 4.
        let started = fields.nth(17)?.parse().ok()?;
        Some(Self {
            pid,
            parent,
            started,
            is_zombie: matches!(state, "Z" | "X"),
        })
    }

    /// Sends SIGKILL, unless the number has passed to another process since it was read.
    pub(crate) fn kill(&self) {
        if Self::read(self.pid).is_some_and(|now| now.started == self.started) {
            // It may have ended in between, or belong to another user after a setuid program; neither can be helped here.
            let _ = signal::kill(Pid::from_raw(self.pid), Signal::SIGKILL);
        }
    }
}

/// Every process this user can see. Empty where `/proc` cannot be used.
pub(crate) fn all() -> Vec<Process> {
    if !is_usable() {
        return Vec::new();
    }
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| Process::read(entry.file_name().to_str()?.parse().ok()?))
        .collect()
}

/// The children of this process's main thread, zombies included: what it started itself and what the process adopted as
/// child subreaper. `own` is its process id. Much faster than walking the whole table; under change the list may miss
/// some, so look again. `None` where `/proc` cannot be used or the kernel is built without this list.
pub(crate) fn children(own: i32) -> Option<Vec<i32>> {
    let list = fs::read_to_string(format!("/proc/self/task/{own}/children"))
        .ok()
        .filter(|_| is_usable())?;
    Some(
        list.split_ascii_whitespace()
            .filter_map(|pid| pid.parse().ok())
            .collect(),
    )
}

/// Whether `/proc` is mounted and shows our process namespace. The numbers of another would mean other processes to us.
fn is_usable() -> bool {
    fs::read_link("/proc/self").ok().as_deref() == Some(Path::new(&process::id().to_string()))
}

/// Those of `all` that have `root` among their ancestors, parents before children; `root` itself is not included.
pub(crate) fn below(root: i32, all: &[Process]) -> Vec<Process> {
    let mut found: Vec<Process> = Vec::new();
    let mut seen = HashSet::from([root]);
    let mut layer = vec![root];
    while !layer.is_empty() {
        let children: Vec<Process> = all
            .iter()
            .filter(|process| layer.contains(&process.parent) && seen.insert(process.pid))
            .copied()
            .collect();
        layer = children.iter().map(|process| process.pid).collect();
        found.extend(children);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: i32, parent: i32) -> Process {
        Process {
            pid,
            parent,
            started: 0,
            is_zombie: false,
        }
    }

    #[test]
    fn reads_a_name_with_spaces_and_parentheses() {
        let stat = b"42 (a) b (c) S 7 42 42 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 1234 5 6";
        assert_eq!(
            Process::parse(42, stat),
            Some(Process {
                pid: 42,
                parent: 7,
                started: 1234,
                is_zombie: false
            })
        );
    }

    #[test]
    fn reads_a_name_that_is_not_utf8() {
        let stat = b"42 (\xff\xfe) Z 7 42 42 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 1234 5 6";
        assert!(Process::parse(42, stat).is_some_and(|process| process.is_zombie));
    }

    #[test]
    fn refuses_a_line_that_is_cut_short() {
        assert_eq!(Process::parse(42, b"42 (cat) S 7 42"), None);
        assert_eq!(Process::parse(42, b""), None);
    }

    #[test]
    fn finds_descendants_at_any_depth_and_no_others() {
        let all = [
            process(9, 5),
            process(5, 2),
            process(2, 1),
            process(3, 1),
            process(4, 3),
        ];
        let found: Vec<i32> = below(2, &all).iter().map(|process| process.pid).collect();
        assert_eq!(found, [5, 9]);
    }

    #[test]
    fn ends_on_a_circle_of_parents() {
        // Two reads at different moments may show numbers that were reused in between.
        let all = [process(5, 6), process(6, 5), process(5, 2)];
        assert_eq!(below(2, &all).len(), 2);
    }

    #[test]
    fn sees_itself() {
        let own = i32::try_from(process::id()).expect("process ids fit");
        assert!(all().iter().any(|process| process.pid == own));
    }
}
