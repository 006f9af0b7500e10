//! Starting: what the target gets, and why it may not start.

use crate::support::{Mark, exit, line, output, soon, spawner, text, trial};
use libtest_mimic::Trial;
use mcp_assay_transport::stdio::{Command, SpawnError, Spawner};
use nix::unistd::{getpgid, getpid};
use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("echoes_what_is_written", echoes_what_is_written),
        trial("keeps_stderr_apart", keeps_stderr_apart),
        trial(
            "sets_environment_and_directory",
            sets_environment_and_directory,
        ),
        trial(
            "looks_programs_up_on_the_given_path",
            looks_programs_up_on_the_given_path,
        ),
        trial(
            "passes_arguments_that_are_not_utf8",
            passes_arguments_that_are_not_utf8,
        ),
        trial(
            "gives_the_target_three_descriptors_only",
            gives_the_target_three_descriptors_only,
        ),
        trial(
            "gives_the_target_default_signals",
            gives_the_target_default_signals,
        ),
        trial(
            "gives_the_target_blocking_streams",
            gives_the_target_blocking_streams,
        ),
        trial(
            "keeps_guard_and_target_out_of_the_terminals_group",
            keeps_guard_and_target_out_of_the_terminals_group,
        ),
        trial(
            "holds_no_end_of_the_targets_pipes",
            holds_no_end_of_the_targets_pipes,
        ),
        trial(
            "writes_without_blocking_to_a_target_that_does_not_read",
            writes_without_blocking_to_a_target_that_does_not_read,
        ),
        trial("starts_fifty_at_once", starts_fifty_at_once),
        trial("works_across_runtimes", works_across_runtimes),
        trial(
            "starts_guards_through_proc_self_exe",
            starts_guards_through_proc_self_exe,
        ),
        trial(
            "says_when_a_program_does_not_exist",
            says_when_a_program_does_not_exist,
        ),
        trial(
            "says_when_a_file_is_no_program",
            says_when_a_file_is_no_program,
        ),
        trial(
            "says_when_an_interpreter_is_missing",
            says_when_an_interpreter_is_missing,
        ),
        trial(
            "says_when_the_directory_is_missing",
            says_when_the_directory_is_missing,
        ),
        trial("says_when_the_guard_fails", says_when_the_guard_fails),
    ]
}

async fn echoes_what_is_written() {
    let (mark, spawner) = (Mark::new(), spawner());
    let mut pipes = spawner.spawn(&mark.command(["cat"])).await.expect("cat");
    pipes.stdin.write_all(b"hello\n").await.expect("a reader");
    assert_eq!(line(&mut pipes.stdout).await, "hello");
    assert_eq!(pipes.process.has_exited(), None);
    drop(pipes.stdin);
    assert_eq!(text(&mut pipes.stdout).await, "");
    let exit = soon("the exit", pipes.process.exited()).await;
    assert_eq!((exit.code, exit.signal, exit.orphans), (Some(0), None, 0));
    assert!(exit.after > Duration::ZERO);
    assert_eq!(pipes.process.has_exited(), Some(exit));
    mark.assert_gone().await;
}

async fn keeps_stderr_apart() {
    let (mark, spawner) = (Mark::new(), spawner());
    let mut pipes = spawner
        .spawn(&mark.script("echo out; echo err >&2"))
        .await
        .expect("a target");
    assert_eq!(text(&mut pipes.stdout).await, "out\n");
    assert_eq!(
        text(&mut pipes.stderr.take().expect("stderr")).await,
        "err\n"
    );
    mark.assert_gone().await;
}

async fn sets_environment_and_directory() {
    let (mark, spawner) = (Mark::new(), spawner());
    let place = tempfile::tempdir().expect("a directory");
    let mut command = mark.script("pwd; echo \"$FIRST|$SECOND|${HOME:+inherited}\"");
    command.cwd = Some(place.path().to_owned());
    for (name, value) in [
        ("FIRST", "one"),
        ("FIRST", "later\u{e9} \"wins\"\n"),
        ("SECOND", ""),
    ] {
        command.env.push((name.to_owned(), value.to_owned()));
    }
    let place = place.path().canonicalize().expect("a real directory");
    let inherited = if std::env::var_os("HOME").is_some() {
        "inherited"
    } else {
        ""
    };
    let expected = format!("{}\nlater\u{e9} \"wins\"\n||{inherited}\n", place.display());
    assert_eq!(output(&spawner, &command).await, expected);
    mark.assert_gone().await;
}

async fn looks_programs_up_on_the_given_path() {
    let (mark, spawner) = (Mark::new(), spawner());
    let place = tempfile::tempdir().expect("a directory");
    write_program(&place.path().join("only-here"), "#!/bin/sh\necho found\n").await;
    let mut command = mark.command(["only-here"]);
    assert!(matches!(
        spawner.spawn(&command).await,
        Err(SpawnError::NotFound { .. })
    ));
    command.env.push((
        "PATH".to_owned(),
        place.path().to_str().expect("text").to_owned(),
    ));
    assert_eq!(output(&spawner, &command).await, "found\n");
    let mut relative = mark.command(["./only-here"]);
    relative.cwd = Some(place.path().to_owned());
    assert_eq!(output(&spawner, &relative).await, "found\n");
    mark.assert_gone().await;
}

async fn passes_arguments_that_are_not_utf8() {
    use std::os::unix::ffi::OsStringExt;
    let (mark, spawner) = (Mark::new(), spawner());
    let mut command = mark.command(["printf", "%s|%s|%s", "", "--"]);
    command
        .argv
        .push(std::ffi::OsString::from_vec(vec![b'a', 0xff, b'\n']));
    let mut pipes = spawner.spawn(&command).await.expect("printf");
    let mut seen = Vec::new();
    soon(
        "output",
        tokio::io::AsyncReadExt::read_to_end(&mut pipes.stdout, &mut seen),
    )
    .await
    .expect("output");
    assert_eq!(seen, b"|--|a\xff\n");
    mark.assert_gone().await;
}

async fn gives_the_target_three_descriptors_only() {
    let (mark, spawner) = (Mark::new(), spawner());
    // A descriptor that is not close-on-exec, such as shells and build tools leave to what they start, and the pipes of
    // others that run at the same time.
    let _left_open = nix::unistd::dup(std::io::stderr()).expect("a duplicate");
    let mut others = Vec::new();
    for _ in 0..3 {
        others.push(spawner.spawn(&mark.command(["cat"])).await.expect("cat"));
    }
    // `ls` itself opens the directory as the fourth.
    assert_eq!(
        output(&spawner, &mark.command(["ls", "/proc/self/fd"])).await,
        "0\n1\n2\n3\n"
    );
    drop(others);
    mark.assert_gone().await;
}

async fn gives_the_target_default_signals() {
    let (mark, spawner) = (Mark::new(), spawner());
    let status = output(&spawner, &mark.command(["cat", "/proc/self/status"])).await;
    let mask = |name: &str| {
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .expect("a mask");
        u64::from_str_radix(line.trim(), 16).expect("hexadecimal")
    };
    assert_eq!(mask("SigBlk:"), 0);
    // Bits of SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM and SIGCHLD.
    let asks_to_end = [1, 2, 3, 13, 15, 17]
        .map(|number| 1_u64 << (number - 1))
        .iter()
        .sum::<u64>();
    assert_eq!(mask("SigIgn:") & asks_to_end, 0);
    mark.assert_gone().await;
}

async fn gives_the_target_blocking_streams() {
    let (mark, spawner) = (Mark::new(), spawner());
    let flags = "for fd in 0 1 2; do grep ^flags: /proc/self/fdinfo/$fd; done";
    let flags = output(&spawner, &mark.script(flags)).await;
    let blocking = flags.lines().map(|line| {
        let flags = line.split_ascii_whitespace().nth(1).expect("flags");
        u32::from_str_radix(flags, 8).expect("octal") & 0o4000 == 0
    });
    assert_eq!(blocking.collect::<Vec<_>>(), [true, true, true]);
    mark.assert_gone().await;
}

async fn keeps_guard_and_target_out_of_the_terminals_group() {
    let (mark, spawner) = (Mark::new(), spawner());
    let mut pipes = spawner
        .spawn(&mark.script("echo $$ $PPID; exec cat"))
        .await
        .expect("a target");
    let ids: Vec<i32> = line(&mut pipes.stdout)
        .await
        .split(' ')
        .map(|id| id.parse().expect("an id"))
        .collect();
    let group = |pid: i32| getpgid(Some(nix::unistd::Pid::from_raw(pid))).expect("a group");
    let groups = HashSet::from([group(getpid().as_raw()), group(ids[0]), group(ids[1])]);
    assert_eq!(groups.len(), 3, "{groups:?}");
    assert_eq!(group(ids[0]).as_raw(), ids[0]);
    drop(pipes);
    mark.assert_gone().await;
}

async fn holds_no_end_of_the_targets_pipes() {
    let (mark, spawner) = (Mark::new(), spawner());
    let mut pipes = spawner
        .spawn(&mark.script("echo a; exec 0<&- 1>&- 2>&-; exec sleep 1000"))
        .await
        .expect("a target");
    assert_eq!(text(&mut pipes.stdout).await, "a\n");
    assert_eq!(text(&mut pipes.stderr.take().expect("stderr")).await, "");
    let error = pipes
        .stdin
        .write_all(b"x")
        .await
        .expect_err("nobody can read that");
    assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
    assert_eq!(pipes.process.has_exited(), None);
    drop(pipes);
    mark.assert_gone().await;
}

async fn writes_without_blocking_to_a_target_that_does_not_read() {
    let (mark, spawner) = (Mark::new(), spawner());
    let mut deaf = spawner
        .spawn(&mark.command(["sleep", "1000"]))
        .await
        .expect("sleep");
    let mut other = spawner.spawn(&mark.command(["cat"])).await.expect("cat");
    let flood = vec![b'x'; 1 << 20];
    {
        let mut writing = std::pin::pin!(deaf.stdin.write_all(&flood));
        // The runtime has one thread: were the write blocking, the exchange with the other target would never happen.
        for round in 0..100 {
            assert!(timeout(Duration::ZERO, &mut writing).await.is_err());
            other
                .stdin
                .write_all(format!("{round}\n").as_bytes())
                .await
                .expect("a reader");
            assert_eq!(line(&mut other.stdout).await, round.to_string());
        }
    }
    drop((deaf, other));
    mark.assert_gone().await;
}

async fn starts_fifty_at_once() {
    let mark = Mark::new();
    let spawner = std::sync::Arc::new(spawner());
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..50 {
        let (spawner, command) = (
            std::sync::Arc::clone(&spawner),
            mark.script("read line; echo $line; exit 7"),
        );
        tasks.spawn(async move {
            let mut pipes = spawner.spawn(&command).await.expect("a target");
            pipes
                .stdin
                .write_all(format!("{number}\n").as_bytes())
                .await
                .expect("a reader");
            assert_eq!(line(&mut pipes.stdout).await, number.to_string());
            let exit = exit(&pipes.process).await;
            assert_eq!((exit.code, exit.orphans), (Some(7), 0));
        });
    }
    assert_eq!(soon("all targets", tasks.join_all()).await.len(), 50);
    mark.assert_gone().await;
}

/// A spawner outlives the runtime that used it first, and so does a target.
async fn works_across_runtimes() {
    let (mark, spawner) = (Mark::new(), spawner());
    let command = mark.script("exec cat");
    let process = std::thread::scope(|scope| {
        let other = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            let pipes = runtime.block_on(spawner.spawn(&command)).expect("a target");
            pipes.process
        });
        other.join().expect("no panic")
    });
    // The streams went with the other runtime, so the target's input has ended.
    assert_eq!(soon("the exit", process.exited()).await.code, Some(0));
    mark.assert_gone().await;
}

async fn starts_guards_through_proc_self_exe() {
    let mark = Mark::new();
    let spawner = Spawner::start("/proc/self/exe".into(), vec!["guard".into()]).expect("a spawner");
    let name = output(&spawner, &mark.script("cat /proc/$PPID/comm")).await;
    assert_eq!(name, "mcp-assay-guard\n");
    mark.assert_gone().await;
}

async fn says_when_a_program_does_not_exist() {
    let (mark, spawner) = (Mark::new(), spawner());
    let place = tempfile::tempdir().expect("a directory");
    std::fs::write(place.path().join("server.js"), "").expect("a file");
    let at = |argv: &[&str]| Command {
        cwd: Some(place.path().to_owned()),
        ..mark.command(argv.to_vec())
    };
    assert_eq!(
        refusal(&spawner, &mark.command(["no-such-mcp-server-anywhere"])).await,
        "cannot find program `no-such-mcp-server-anywhere`: it is not on PATH; install it, or give its full path"
    );
    assert_eq!(
        refusal(&spawner, &at(&["server.js"])).await,
        "cannot find program `server.js`: it is not on PATH, did you mean the file `./server.js`?"
    );
    assert_eq!(
        refusal(&spawner, &mark.command(["node server.js --stdio"])).await,
        "cannot find program `node server.js --stdio`: it holds spaces; give the program and its arguments as separate words"
    );
    let near = refusal(&spawner, &at(&["./servre.js"])).await;
    assert!(
        near.contains("there is no such file, did you mean `") && near.ends_with("/server.js`?"),
        "{near}"
    );
    let near = refusal(&spawner, &mark.command(["selep", "1"])).await;
    assert_eq!(
        near,
        "cannot find program `selep`: it is not on PATH, did you mean `sleep`?"
    );
    let lost = refusal(&spawner, &mark.command(["/no/such/place/server"])).await;
    assert_eq!(
        lost,
        "cannot find program `/no/such/place/server`: there is no directory `/no/such/place`"
    );
    let forged = refusal(&spawner, &mark.command(["a\u{1b}[31m\nb"])).await;
    assert!(!forged.contains(['\u{1b}', '\n']), "{forged}");
    assert!(matches!(
        spawner.spawn(&Command::default()).await,
        Err(SpawnError::Empty)
    ));
    let nul = spawner.spawn(&mark.command(["cat", "a\0b"])).await;
    assert!(
        matches!(nul, Err(SpawnError::Other { .. })),
        "{:?}",
        nul.err()
    );
    mark.assert_gone().await;
}

async fn says_when_a_file_is_no_program() {
    let (mark, spawner) = (Mark::new(), spawner());
    let place = tempfile::tempdir().expect("a directory");
    let at = |name: &str| Command {
        cwd: Some(place.path().to_owned()),
        ..mark.command([name])
    };
    std::fs::write(place.path().join("server.py"), "print()").expect("a file");
    let refused = spawner
        .spawn(&at("./server.py"))
        .await
        .err()
        .expect("a refusal");
    assert!(
        matches!(refused, SpawnError::NotExecutable { .. }),
        "{refused:?}"
    );
    assert!(
        refused
            .to_string()
            .contains("not marked executable; run it as `python3 "),
        "{refused}"
    );
    let refused = refusal(&spawner, &at("./")).await;
    assert!(refused.ends_with("is a directory"), "{refused}");
    write_program(&place.path().join("noise"), "\u{1}\u{2}\u{3}").await;
    let refused = spawner
        .spawn(&at("./noise"))
        .await
        .err()
        .expect("a refusal");
    assert!(
        matches!(refused, SpawnError::NotExecutable { .. }),
        "{refused:?}"
    );
    assert!(refused.to_string().contains("`#!` line"), "{refused}");
    mark.assert_gone().await;
}

async fn says_when_an_interpreter_is_missing() {
    let (mark, spawner) = (Mark::new(), spawner());
    let place = tempfile::tempdir().expect("a directory");
    let at = |name: &str| Command {
        cwd: Some(place.path().to_owned()),
        ..mark.command([name])
    };
    write_program(&place.path().join("lost"), "#!/no/such/interpreter -x\n").await;
    let refused = refusal(&spawner, &at("./lost")).await;
    assert!(
        refused.ends_with(
            "exists, but the interpreter `/no/such/interpreter` of its first line does not"
        ),
        "{refused}"
    );
    write_program(&place.path().join("dos"), "#!/bin/sh\r\necho\r\n").await;
    let refused = refusal(&spawner, &at("./dos")).await;
    assert!(
        refused.ends_with("ends with a carriage return; save it with plain line ends"),
        "{refused}"
    );
    mark.assert_gone().await;
}

async fn says_when_the_directory_is_missing() {
    let (mark, spawner) = (Mark::new(), spawner());
    let place = tempfile::tempdir().expect("a directory");
    let file = place.path().join("file");
    std::fs::write(&file, "").expect("a file");
    let at = |cwd: &Path| Command {
        cwd: Some(cwd.to_owned()),
        ..mark.command(["cat"])
    };
    let refused = refusal(&spawner, &at(&place.path().join("missing"))).await;
    assert!(
        refused.starts_with("cannot enter working directory `")
            && refused.ends_with("there is no such directory"),
        "{refused}"
    );
    let refused = refusal(&spawner, &at(&file)).await;
    assert!(refused.ends_with("it is not a directory"), "{refused}");
    mark.assert_gone().await;
}

async fn says_when_the_guard_fails() {
    let mark = Mark::new();
    for (program, args, expected) in [
        ("/no/such/guard", vec![], "cannot start `/no/such/guard`"),
        (
            "false",
            vec![],
            "it ended before it started the target (exit status: 1)",
        ),
        // A wrong subcommand: the executable refuses its arguments.
        (
            "sh",
            vec!["guard".into()],
            "it ended before it started the target",
        ),
    ] {
        let spawner = Spawner::start(program.into(), args).expect("a spawner");
        let refused = spawner
            .spawn(&mark.command(["cat"]))
            .await
            .err()
            .expect("a refusal");
        assert!(
            matches!(refused, SpawnError::Guard { .. }) && refused.to_string().contains(expected),
            "{refused}"
        );
    }
    mark.assert_gone().await;
}

async fn refusal(spawner: &Spawner, command: &Command) -> String {
    spawner
        .spawn(command)
        .await
        .err()
        .expect("a refusal")
        .to_string()
}

/// Writes an executable file through another process: were it open for writing here while another test forks, the
/// kernel would refuse to execute it.
async fn write_program(path: &Path, text: &str) {
    let script = "printf %s \"$1\" > \"$0\" && chmod +x \"$0\"";
    let written = tokio::process::Command::new("sh")
        .arg("-c")
        .arg(script)
        .arg(path)
        .arg(text)
        .status()
        .await;
    assert!(written.expect("a shell").success());
}
