//! The manifest of a snapshot: as it is, and with a last line that is right.

use std::path::{Component, Path};

use logkv::transfer::Manifest;

/// What decodes is encoded to the same bytes, and leads nowhere but into one directory.
pub fn text(input: &[u8]) {
    decodes(input);
    if let Ok(text) = std::str::from_utf8(input) {
        let files = text.lines().filter(|line| line.starts_with("file ")).count();
        let lines: String =
            text.lines().filter(|line| !line.starts_with("end ")).map(|line| format!("{line}\n")).collect();
        decodes(format!("{lines}end {files} {:08x}\n", crc32fast::hash(lines.as_bytes())).as_bytes());
    }
}

fn decodes(bytes: &[u8]) {
    let Ok(manifest) = Manifest::decode(bytes) else { return };
    assert_eq!(manifest.encode(), bytes);
    for file in &manifest.files {
        let parts: Vec<_> = Path::new(&file.name).components().collect();
        assert!(matches!(parts[..], [Component::Normal(name)] if name == file.name.as_str()), "{}", file.name);
        assert_eq!(manifest.file(&file.name), Some(file), "it is named once");
    }
}
