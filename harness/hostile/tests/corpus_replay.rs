//! The committed seeds of the fuzz targets, so that `cargo test` replays every crash that was ever found, without a C++ compiler.

use mcp_assay_hostile::oracle;
use std::path::Path;

fn replay(target: &str, oracle: fn(&[u8]) -> Result<(), String>) {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/seeds")
        .join(target);
    let entries = std::fs::read_dir(&seeds).expect("each target has seeds");
    let mut replayed = 0;
    for entry in entries {
        let path = entry.expect("the folder can be listed").path();
        let bytes = std::fs::read(&path).expect("a seed can be read");
        assert_eq!(oracle(&bytes), Ok(()), "{}", path.display());
        replayed += 1;
    }
    assert!(replayed > 0, "no seeds for {target}");
}

#[test]
fn seeds_of_stdio_frames_hold() {
    replay("stdio_frames", oracle::stdio_frames);
}

#[test]
fn seeds_of_classify_hold() {
    replay("classify", oracle::text);
}

#[test]
fn seeds_of_sse_events_hold() {
    replay("sse_events", oracle::sse_events);
}

#[test]
fn seeds_of_http_head_hold() {
    replay("http_head", oracle::http_head);
}

#[test]
fn seeds_of_offered_schema_hold() {
    replay("offered_schema", oracle::offered_schema);
}

#[test]
fn every_folder_of_seeds_belongs_to_a_target_that_is_replayed() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let names = |folder: &str| {
        let entries = std::fs::read_dir(fuzz.join(folder)).expect("the folder exists");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("the folder can be listed").path())
            .map(|path| {
                path.file_stem()
                    .expect("it has a name")
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        names
    };
    let targets = [
        "classify",
        "http_head",
        "offered_schema",
        "sse_events",
        "stdio_frames",
    ];
    assert_eq!(names("fuzz_targets"), targets);
    assert_eq!(names("seeds"), targets);
}
