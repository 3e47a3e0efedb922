//! The way on to a cluster: what `export --as resp` writes, a real Redis reads by `redis-cli --pipe`, and holds the same
//! keys, values and expiries. Where there is no Redis (Debian: apt-get install redis-server) this says so and passes.
#![cfg(all(unix, feature = "cli"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use logkv::store::{Expiry, PutOptions, SyncPolicy};
use logkv::{Options, Store};

/// A server on a free port of the loopback interface that keeps nothing; gone with the end of the test.
struct Redis {
    server: Child,
    port: u16,
    _dir: tempfile::TempDir,
}

impl Redis {
    /// `None`: it is not installed.
    fn start() -> Option<Self> {
        for program in ["redis-server", "redis-cli"] {
            Command::new(program).arg("--version").stdout(Stdio::null()).status().ok()?;
        }
        let dir = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port"])
            .arg(port.to_string())
            .current_dir(dir.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let redis = Self { server, port, _dir: dir };
        for _ in 0..600 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(redis);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("redis-server does not answer");
    }

    fn connect(&self) -> BufReader<TcpStream> {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        BufReader::new(stream)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// What a command was answered: a number, or bytes.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Number(i64),
    Bytes(Option<Vec<u8>>),
}

fn ask(to: &mut BufReader<TcpStream>, words: &[&[u8]]) -> Answer {
    let mut command = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        command.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        command.extend_from_slice(word);
        command.extend_from_slice(b"\r\n");
    }
    to.get_mut().write_all(&command).unwrap();
    let mut line = String::new();
    to.read_line(&mut line).unwrap();
    let number: i64 = line[1..].trim_end().parse().unwrap_or_else(|_| panic!("{line}"));
    match &line[..1] {
        ":" => Answer::Number(number),
        "$" if number < 0 => Answer::Bytes(None),
        "$" => {
            let mut bytes = vec![0; usize::try_from(number).unwrap() + 2];
            to.read_exact(&mut bytes).unwrap();
            bytes.truncate(bytes.len() - 2);
            Answer::Bytes(Some(bytes))
        }
        _ => panic!("{line}"),
    }
}

#[test]
fn a_real_redis_gives_back_every_key_value_and_expiry() {
    let Some(redis) = Redis::start() else {
        println!("skipped: redis-server and redis-cli are not installed");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let store = Store::open(&data, Options { create: true, sync: SyncPolicy::Buffered, ..Options::default() }).unwrap();
    // From the year 2100 on, in microseconds, and one that is no whole millisecond.
    let (whole, part) = (4_102_444_800_000_000, 4_102_444_800_123_456);
    let long = vec![b'x'; 100 << 10];
    let every_byte: Vec<u8> = (0..=255).collect();
    let rows: [(&[u8], &[u8], Option<u64>); 9] = [
        (b"plain", b"value", None),
        (b"empty value", b"", None),
        (b"", b"the empty key", None),
        (b"\xff\x00binary\r\nkey", b"\x00\xfe", None),
        (b"crlf", b"a\r\n$3\r\nb\r\n*1\r\n", None),
        (b"long", &long, None),
        (&every_byte, &every_byte, None),
        (b"expires", b"later", Some(whole)),
        (b"expires within a millisecond", b"later", Some(part)),
    ];
    for (key, value, expires_at) in rows {
        let expiry = expires_at.map_or(Expiry::Never, Expiry::At);
        store.put_with(key, value, &PutOptions { expiry, ..PutOptions::default() }).unwrap();
    }
    store.put_with(b"expired", b"gone", &PutOptions { expiry: Expiry::At(1), ..PutOptions::default() }).unwrap();
    store.put(b"deleted", b"gone").unwrap();
    store.delete(b"deleted").unwrap();
    for n in 0..2000 {
        store.put(format!("many-{n}").as_bytes(), format!("{n}").as_bytes()).unwrap();
    }
    store.close().unwrap();

    let pipeline = format!(
        "'{}' export -d '{}' --as resp | redis-cli -p {} --pipe",
        env!("CARGO_BIN_EXE_logkv"),
        data.display(),
        redis.port
    );
    let piped = Command::new("sh").args(["-c", &pipeline]).output().unwrap();
    let said = String::from_utf8_lossy(&piped.stdout).into_owned();
    assert!(piped.status.success() && said.contains("errors: 0, replies: 2009"), "{piped:?}");

    let mut connection = redis.connect();
    for (key, value, expires_at) in rows {
        assert_eq!(ask(&mut connection, &[b"GET", key]), Answer::Bytes(Some(value.to_vec())), "{}", key.escape_ascii());
        let millis = expires_at.map_or(-1, |at| i64::try_from(at.div_ceil(1000)).unwrap());
        assert_eq!(ask(&mut connection, &[b"PEXPIRETIME", key]), Answer::Number(millis), "{}", key.escape_ascii());
    }
    for n in 0..2000 {
        let value = ask(&mut connection, &[b"GET", format!("many-{n}").as_bytes()]);
        assert_eq!(value, Answer::Bytes(Some(n.to_string().into_bytes())));
    }
    assert_eq!(ask(&mut connection, &[b"DBSIZE"]), Answer::Number(2009));
    for gone in [&b"expired"[..], b"deleted"] {
        assert_eq!(ask(&mut connection, &[b"GET", gone]), Answer::Bytes(None));
    }
}
