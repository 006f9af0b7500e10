#![allow(missing_docs, clippy::all, clippy::print_stdout)]
use mcp_assay_transport::stdio::{Command, Spawner};
use mcp_assay_transport::pipes::Order;
use tokio::io::AsyncReadExt;
use std::time::Instant;
fn main() -> std::process::ExitCode {
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|a| a == "guard") { return mcp_assay_transport::guard::main(args); }
    let rt = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    rt.block_on(async {
        for n in ["100", "2000"] { for kill in [true, false] { for _ in 0..3 {
        let spawner = Spawner::start(std::env::current_exe().unwrap(), vec!["guard".into()]).unwrap();
        let mut p = spawner.spawn(&Command::new(["/tmp/comet/bomb", n, "15"])).await.unwrap();
        let mut b = [0u8; 6];
        p.stdout.read_exact(&mut b).await.unwrap();
        let t = Instant::now();
        if kill { p.process.orders.send(Order::Kill).unwrap(); } else { p.stdin = Box::new(tokio::io::sink()); }
        let e = p.process.exited().await;
        let took = t.elapsed();
        let t = Instant::now();
        drop(spawner);
        let left = std::fs::read_dir("/proc").unwrap().flatten().filter(|e| std::fs::read_to_string(e.path().join("comm")).is_ok_and(|c| c.trim() == "bomb")).count();
        println!("n {n} kill {kill}: {took:?} orphans {} drop {:?} left {left}", e.orphans, t.elapsed());
        while left > 0 && std::fs::read_dir("/proc").unwrap().flatten().any(|e| std::fs::read_to_string(e.path().join("comm")).is_ok_and(|c| c.trim() == "bomb")) { tokio::time::sleep(std::time::Duration::from_millis(300)).await }
        }}}
    });
    std::process::ExitCode::SUCCESS
}
