//! x
#![cfg(target_os = "linux")]
mod support { pub mod assay; pub mod target; }
use std::process::ExitCode;
fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    if args.next().as_deref() == Some("target") { return support::target::main(args); }
    for name in args {
        let own = std::env::current_exe().expect("path");
        let ended = support::assay::Assay::run([std::ffi::OsString::from("--"), own.into(), "target".into(), name.clone().into()]).end();
        println!("{name} | {:?} | {:.1} s | {} MiB | left {:?}", ended.code, ended.wall.as_secs_f64(), ended.peak_kib/1024, ended.left);
        println!("{}\n{}", ended.stdout, ended.stderr);
        for f in ["report.json","run.jsonl","junit.xml"] { println!("{f}: {} bytes", ended.file(f).len()); }
    }
    ExitCode::SUCCESS
}
