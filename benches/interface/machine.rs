//! On what it was measured.

use std::fs;

/// Processor, cores, memory, system.
pub fn name() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let memory = field("/proc/meminfo", "MemTotal").unwrap_or_default();
    let kib = memory.trim_end_matches(" kB").parse::<u64>().unwrap_or_default();
    let memory = logkv::text::size(kib << 10);
    format!("{}, {cores} cores, {memory}, {} {}", processor(), std::env::consts::OS, kernel.trim())
}

/// How busy it was with everything, over the last minute: processes that ran or wanted to.
pub fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().filter(|load| !load.is_empty()).unwrap_or("unknown").to_owned()
}

fn processor() -> String {
    let arm = || field("/proc/cpuinfo", "CPU part").map(|part| format!("{} part {part}", std::env::consts::ARCH));
    field("/proc/cpuinfo", "model name").or_else(arm).unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

/// What stands after `NAME:` in a file of such lines.
pub fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// Memory of a process that is no copy of a file: what it takes from everybody else.
pub fn own_bytes(pid: u32) -> Option<u64> {
    let own = field(&format!("/proc/{pid}/status"), "RssAnon")?;
    Some(own.trim_end_matches(" kB").trim().parse::<u64>().ok()? << 10)
}

/// How often the threads of a process went to sleep or were put aside.
pub fn switches(pid: u32) -> Option<u64> {
    let of = |task: fs::DirEntry| {
        let path = task.path().join("status");
        let count = |name| field(path.to_str()?, name)?.parse::<u64>().ok();
        Some(count("voluntary_ctxt_switches")? + count("nonvoluntary_ctxt_switches")?)
    };
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    Some(tasks.filter_map(|task| of(task.ok()?)).sum())
}
