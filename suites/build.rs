//! Lists every YAML file under `scenarios`, `requirements` and `revisions`, so that adding a card is adding a file.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

const FOLDERS: [&str; 3] = ["scenarios", "requirements", "revisions"];

fn main() -> io::Result<()> {
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let mut code = String::new();
    for folder in FOLDERS {
        // Cargo compares the times of everything below a folder, so that a new file is enough to run this again.
        println!("cargo::rerun-if-changed={folder}");
        let mut paths = Vec::new();
        collect(&root.join(folder), folder, &mut paths)?;
        paths.sort();
        let name = folder.to_uppercase();
        let _ = writeln!(
            code,
            "/// Files of `{folder}`, sorted by path.\npub static {name}: &[File] = &["
        );
        for path in paths {
            let _ = writeln!(
                code,
                "    File {{ path: {path:?}, text: include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/\", {path:?})) }},"
            );
        }
        code.push_str("];\n");
    }
    fs::write(PathBuf::from(variable("OUT_DIR")?).join("files.rs"), code)
}

fn variable(name: &str) -> io::Result<String> {
    env::var(name).map_err(|error| io::Error::other(format!("{name}: {error}")))
}

fn collect(directory: &Path, relative: &str, paths: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{relative}/{name}");
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &path, paths)?;
        } else if name.ends_with(".yaml") {
            paths.push(path);
        }
    }
    Ok(())
}
