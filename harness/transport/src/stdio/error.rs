//! Why a target could not be started, and what to do about it.

use super::Command;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// A target could not be started.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// The argument vector is empty.
    #[error("the command is empty; name a program after `--`, for example `-- node server.js`")]
    Empty,
    /// There is no such program, or what it needs to run is missing.
    #[error("cannot find program `{program}`: {next}")]
    NotFound {
        /// As the user wrote it.
        program: String,
        /// What is known, and what to do.
        next: String,
    },
    /// The file is there, but it is no program.
    #[error("cannot execute `{program}`: {next}")]
    NotExecutable {
        /// As the user wrote it.
        program: String,
        /// What is known, and what to do.
        next: String,
    },
    /// The system forbids it, although the file is marked executable.
    #[error("no permission to run `{program}`: {next}")]
    Permission {
        /// As the user wrote it.
        program: String,
        /// What is known, and what to do.
        next: String,
    },
    /// The working directory is missing or cannot be entered.
    #[error("cannot enter working directory `{}`: {next}", cwd.display())]
    WorkingDirectory {
        /// As the user wrote it.
        cwd: PathBuf,
        /// What is known, and what to do.
        next: String,
    },
    /// Our own guard failed; the target was not started or has been killed again.
    #[error("the guard of the target failed: {reason}")]
    Guard {
        /// What is known.
        reason: String,
    },
    /// Anything else the system says, such as too many processes or open files.
    #[error("cannot start `{program}`: {source}")]
    Other {
        /// As the user wrote it.
        program: String,
        /// The system's error.
        source: io::Error,
    },
}

impl SpawnError {
    pub(super) fn other(command: &Command, source: io::Error) -> Self {
        Self::Other {
            program: shown(&command.argv[0]),
            source,
        }
    }

    /// Finds out what an error number leaves open: a missing file may be the program, its interpreter or the working
    /// directory. It looks at the files after the fact, so that a successful start pays nothing.
    pub(super) fn diagnose(command: &Command, source: io::Error) -> Self {
        if let Some(cwd) = &command.cwd
            && let Some(next) = problem_of_directory(cwd)
        {
            return Self::WorkingDirectory {
                cwd: cwd.clone(),
                next,
            };
        }
        let program = shown(&command.argv[0]);
        let lookup = Lookup::of(command);
        match (source.kind(), lookup.found()) {
            (io::ErrorKind::NotFound | io::ErrorKind::NotADirectory, None) => Self::NotFound {
                program,
                next: lookup.advice(),
            },
            (io::ErrorKind::NotFound, Some(file)) => Self::NotFound {
                program,
                next: missing_interpreter(&file),
            },
            (io::ErrorKind::PermissionDenied, Some(file)) if !is_marked_executable(&file) => {
                Self::NotExecutable {
                    program,
                    next: not_executable(&file),
                }
            }
            (io::ErrorKind::PermissionDenied, Some(file)) => {
                let next = format!(
                    "the system refuses to execute `{}`; its directory or file system may forbid it",
                    file.display()
                );
                Self::Permission { program, next }
            }
            (io::ErrorKind::PermissionDenied, None) => Self::Permission {
                program,
                next: "a directory on the way to it cannot be searched".to_owned(),
            },
            _ if source.raw_os_error() == Some(nix::errno::Errno::ENOEXEC as i32) => {
                let next = "it is neither a binary for this system nor a script with a `#!` line; run it with its interpreter, for example `python3 server.py`";
                Self::NotExecutable {
                    program,
                    next: next.to_owned(),
                }
            }
            _ => Self::Other { program, source },
        }
    }
}

/// Where the system looks for a program.
struct Lookup<'a> {
    command: &'a Command,
    program: &'a Path,
    /// Directories of `PATH`, or none for a program that is given by a path.
    path: Option<Vec<PathBuf>>,
}

impl<'a> Lookup<'a> {
    fn of(command: &'a Command) -> Self {
        let program = Path::new(&command.argv[0]);
        let is_path = command.argv[0].as_encoded_bytes().contains(&b'/');
        let own = command
            .env
            .iter()
            .rev()
            .find(|(name, _)| name == "PATH")
            .map(|(_, value)| OsString::from(value));
        let path = own.or_else(|| env::var_os("PATH")).unwrap_or_default();
        Self {
            command,
            program,
            path: (!is_path).then(|| env::split_paths(&path).collect()),
        }
    }

    fn cwd(&self) -> &Path {
        self.command.cwd.as_deref().unwrap_or(Path::new("."))
    }

    /// The first file there is under that name.
    fn found(&self) -> Option<PathBuf> {
        let candidates = match &self.path {
            None => vec![self.cwd().join(self.program)],
            Some(directories) => directories
                .iter()
                .map(|directory| self.cwd().join(directory).join(self.program))
                .collect(),
        };
        let mut files: Vec<PathBuf> = candidates
            .into_iter()
            .filter(|file| file.exists())
            .collect();
        let at = files
            .iter()
            .position(|file| is_marked_executable(file))
            .unwrap_or(0);
        (!files.is_empty()).then(|| files.swap_remove(at))
    }

    /// What to do about a program that does not exist.
    fn advice(&self) -> String {
        if let [only] = self.command.argv.as_slice()
            && only.as_encoded_bytes().contains(&b' ')
        {
            return "it holds spaces; give the program and its arguments as separate words"
                .to_owned();
        }
        match &self.path {
            None => {
                let file = self.cwd().join(self.program);
                let place = file.parent().unwrap_or(Path::new("/"));
                if !place.is_dir() {
                    return format!("there is no directory `{}`", place.display());
                }
                let relative = if self.program.is_relative() {
                    "; a relative path counts from the working directory"
                } else {
                    ""
                };
                match self.nearest(&[place.to_owned()]) {
                    Some(near) => format!(
                        "there is no such file, did you mean `{}`?",
                        place.join(near).display()
                    ),
                    None => format!("there is no such file{relative}"),
                }
            }
            Some(directories) => {
                if self.cwd().join(self.program).is_file() {
                    return format!(
                        "it is not on PATH, did you mean the file `./{}`?",
                        self.program.display()
                    );
                }
                match self.nearest(directories) {
                    Some(near) => format!("it is not on PATH, did you mean `{near}`?"),
                    None => "it is not on PATH; install it, or give its full path".to_owned(),
                }
            }
        }
    }

    /// The name most like the program's among the files in these directories, if one is much like it.
    fn nearest(&self, directories: &[PathBuf]) -> Option<String> {
        let wanted = self.program.file_name()?.to_str()?;
        let names = directories
            .iter()
            .filter_map(|directory| fs::read_dir(directory).ok())
            .flatten()
            .flatten();
        names
            .filter_map(|entry| entry.file_name().into_string().ok())
            .map(|name| (strsim::damerau_levenshtein(wanted, &name), name))
            // One slip for each four letters: `pyhton3` is python3, `mcp` is nothing but itself.
            .filter(|(distance, _)| *distance <= wanted.chars().count() / 4)
            .min()
            .map(|(_, name)| name)
    }
}

fn problem_of_directory(cwd: &Path) -> Option<String> {
    match fs::metadata(cwd) {
        Ok(found) if !found.is_dir() => Some("it is not a directory".to_owned()),
        Ok(_) => match fs::metadata(cwd.join(".")) {
            Ok(_) => None,
            Err(error) => Some(error.to_string()),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Some("there is no such directory".to_owned())
        }
        Err(error) => Some(error.to_string()),
    }
}

/// A program that exists and yet is 'not found' names an interpreter or a loader that does not exist.
fn missing_interpreter(file: &Path) -> String {
    let mut head = Vec::new();
    // An unreadable file is described like a binary.
    let _ = fs::File::open(file).and_then(|file| file.take(256).read_to_end(&mut head));
    let Some(line) = head.strip_prefix(b"#!") else {
        return format!(
            "`{}` exists, but its loader is missing; it may be built for another system or C library",
            file.display()
        );
    };
    let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if line.ends_with(b"\r") {
        return format!(
            "the first line of `{}` ends with a carriage return; save it with plain line ends",
            file.display()
        );
    }
    let line = String::from_utf8_lossy(line);
    let interpreter = line.split_whitespace().next().unwrap_or_default();
    format!(
        "`{}` exists, but the interpreter `{}` of its first line does not",
        file.display(),
        shown(interpreter)
    )
}

fn not_executable(file: &Path) -> String {
    if file.is_dir() {
        return format!("`{}` is a directory", file.display());
    }
    let shown = file.display();
    let interpreter = match file.extension().and_then(OsStr::to_str) {
        Some("js" | "cjs" | "mjs") => Some("node"),
        Some("py") => Some("python3"),
        Some("sh") => Some("sh"),
        _ => None,
    };
    match interpreter {
        Some(interpreter) => {
            format!("the file is not marked executable; run it as `{interpreter} {shown}`")
        }
        None => format!("the file is not marked executable; `chmod +x {shown}` marks it"),
    }
}

fn is_marked_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(file).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// For a message: control characters must neither colour the terminal nor forge a line.
fn shown(text: impl AsRef<OsStr>) -> String {
    text.as_ref()
        .to_string_lossy()
        .chars()
        .flat_map(|c| {
            if c.is_control() {
                c.escape_default().collect::<Vec<_>>()
            } else {
                vec![c]
            }
        })
        .collect()
}
