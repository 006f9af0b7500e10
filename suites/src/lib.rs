//! Scenario cards, requirement catalogue and revision facts, embedded.
//!
//! The lists are written by `build.rs` from what lies on disk: a new file needs no line anywhere else.

/// One embedded file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct File {
    /// Path below `suites/`, with forward slashes: `scenarios/errors/unknown-method.yaml`.
    pub path: &'static str,
    /// The whole text.
    pub text: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/files.rs"));

#[cfg(test)]
mod tests {
    use super::{File, REQUIREMENTS, REVISIONS, SCENARIOS};
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    fn on_disk(folder: &Path, relative: &str, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let path = format!("{relative}/{}", entry.file_name().to_str().unwrap());
            if entry.file_type().unwrap().is_dir() {
                on_disk(&entry.path(), &path, found);
            } else {
                found.insert(path);
            }
        }
    }

    #[test]
    fn embeds_every_file_on_disk_and_nothing_else() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let lists: [(&str, &[File]); 3] = [
            ("scenarios", SCENARIOS),
            ("requirements", REQUIREMENTS),
            ("revisions", REVISIONS),
        ];
        for (folder, files) in lists {
            let mut disk = BTreeSet::new();
            on_disk(&root.join(folder), folder, &mut disk);
            let embedded: BTreeSet<String> =
                files.iter().map(|file| file.path.to_owned()).collect();
            assert_eq!(embedded, disk, "in {folder}");
            for file in files {
                assert_eq!(
                    file.text,
                    fs::read_to_string(root.join(file.path)).unwrap(),
                    "{}",
                    file.path
                );
            }
        }
    }

    #[test]
    fn lists_are_sorted() {
        for files in [SCENARIOS, REQUIREMENTS, REVISIONS] {
            assert!(files.windows(2).all(|pair| pair[0].path < pair[1].path));
        }
    }
}
