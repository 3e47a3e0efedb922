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
